/** Migrations on a real PostgreSQL: once, at once, and when the schema is not ours. */
import { Client } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLogger } from '../lib/log.ts';
import { createDatabase, type TestDatabase } from '../test/world/cluster.ts';
import { type Migration, migrate, readMigrations } from './migrate.ts';

const log = createLogger({ name: 'test', level: 'silent' });
const ALL = await readMigrations();

let database: TestDatabase;
beforeEach(async () => {
  database = await createDatabase();
});
afterEach(() => database.drop());

const run = (migrations: readonly Migration[] = ALL): Promise<string[]> =>
  migrate({ databaseUrl: database.url, log }, migrations);

async function sql<Row extends object>(statement: string): Promise<Row[]> {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  try {
    return (await client.query<Row>(statement)).rows;
  } finally {
    await client.end();
  }
}

const aMigration = (version: number, statement: string): Migration => ({
  version,
  name: `${String(version).padStart(4, '0')}-test`,
  sql: statement,
  checksum: `checksum of ${statement}`,
});

test('the first run applies all, the second nothing', async () => {
  expect(await run()).toEqual(ALL.map(({ name }) => name));
  expect(await run()).toEqual([]);
});

test('of four that start at once one migrates and the others find it done', async () => {
  const applied = await Promise.all([run(), run(), run(), run()]);
  expect(applied.filter((names) => names.length > 0)).toEqual([ALL.map(({ name }) => name)]);
});

test('a migration that fails leaves nothing of this run behind', async () => {
  const broken = [aMigration(1, 'CREATE TABLE kept (id int)'), aMigration(2, 'CREATE TABEL oops (id int)')];
  await expect(run(broken)).rejects.toMatchObject({ code: 'MigrationFailed', retryable: false });
  expect(await sql("SELECT 1 FROM pg_tables WHERE tablename = 'kept'")).toEqual([]);
  expect(await run()).toHaveLength(ALL.length);
});

test('a schema that is newer than the program is refused, and so is an edited migration', async () => {
  const older = [aMigration(1, 'CREATE TABLE one (id int)')];
  await run([...older, aMigration(2, 'CREATE TABLE two (id int)')]);
  await expect(run(older)).rejects.toMatchObject({
    code: 'SchemaNewer',
    message: 'the database has migration 0002-test; this program knows migrations up to 1',
  });
  await expect(run([aMigration(1, 'CREATE TABLE uno (id int)')])).rejects.toMatchObject({
    code: 'MigrationChanged',
  });
});
