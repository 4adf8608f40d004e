import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pendingMigrations, readMigrations } from './migrate.ts';

const ours = [1, 2, 3].map((version) => ({
  version,
  name: `000${version}-x`,
  sql: '',
  checksum: `c${version}`,
}));
const [one, two, three] = ours;

test('only what is missing is pending, in order', () => {
  expect(pendingMigrations([], ours)).toEqual(ours);
  expect(pendingMigrations(ours.slice(0, 1), ours)).toEqual([two, three]);
  expect(pendingMigrations(ours, ours)).toEqual([]);
});

test('a newer schema and a changed migration are told apart', () => {
  expect(() => pendingMigrations(ours, one ? [one] : [])).toThrow(/has migration 0002-x; .* up to 1$/);
  const changed = [{ version: 1, name: '0001-x', checksum: 'other' }];
  expect(() => pendingMigrations(changed, ours)).toThrow(/0001-x was changed after it was applied/);
});

test('the files are numbered without a gap, and line ends do not change a checksum', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dcmarket-migrations-'));
  await writeFile(join(folder, '0001-a.sql'), 'SELECT 1;\nSELECT 2;\n');
  const unix = await readMigrations(folder);
  await writeFile(join(folder, '0001-a.sql'), 'SELECT 1;\r\nSELECT 2;\r\n');
  expect(await readMigrations(folder)).toEqual(unix);
  await writeFile(join(folder, '0003-c.sql'), '');
  await expect(readMigrations(folder)).rejects.toMatchObject({ code: 'BadMigrationFiles' });
  await rm(folder, { recursive: true });
});

test('our own files are in order', async () => {
  const versions = (await readMigrations()).map(({ version }) => version);
  expect(versions.length).toBeGreaterThanOrEqual(4);
  expect(versions).toEqual(versions.map((_, index) => index + 1));
});
