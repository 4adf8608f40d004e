/** The lock file between processes: one holder at a time, and a dead one holds nothing. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../control-plane/stand-ins.ts';
import { tryLock, waitForLock } from './lock.mjs';

let folder: string;
let file: string;
beforeEach(() => {
  folder = temporaryFolder();
  file = join(folder, 'start.lock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('the second is told who has it, and gets it when it is released', () => {
  const first = tryLock(file, 'npm start');
  expect(tryLock(file, 'npm start')).toMatchObject({ owner: { pid: process.pid, purpose: 'npm start' } });
  first.release?.();
  expect(tryLock(file, 'npm run reset').release).toBeDefined();
});

for (const [name, content] of [
  ['of a process that is gone', JSON.stringify({ pid: 999_999_999, identity: 'x', purpose: 'npm start' })],
  [
    'of a pid that another program has now',
    JSON.stringify({ pid: process.pid, identity: 'x', purpose: 'npm start' }),
  ],
  ['that was cut short', '{"pid":'],
] as const)
  test(`a lock ${name} is taken over`, () => {
    writeFileSync(file, content);
    const { release } = tryLock(file, 'npm start');
    expect(release).toBeDefined();
    release?.();
    expect(readdirSync(folder)).toEqual([]);
  });

test('whoever waits gets it in the end, and can give up', async () => {
  const { release } = tryLock(file, 'build');
  const stopping = new AbortController();
  const givenUp = waitForLock(file, 'build', { signal: stopping.signal, onWait: () => stopping.abort() });
  await expect(givenUp).rejects.toThrow();
  const waiting = waitForLock(file, 'build', { onWait: () => release?.() });
  (await waiting)();
});

test('of many processes that find a dead owner, one at a time is inside', async () => {
  writeFileSync(file, JSON.stringify({ pid: 999_999_999, identity: 'x', purpose: 'dead' }));
  const inside = join(folder, 'inside');
  const program = `
    import { waitForLock } from ${JSON.stringify(join(import.meta.dirname, 'lock.mjs'))};
    import { appendFileSync, writeFileSync, rmSync } from 'node:fs';
    for (let turn = 0; turn < 3; turn++) {
      const release = await waitForLock(${JSON.stringify(file)}, 'test');
      writeFileSync(${JSON.stringify(inside)}, '', { flag: 'wx' }); // throws when another one is inside
      appendFileSync(${JSON.stringify(join(folder, 'turns'))}, 'x');
      rmSync(${JSON.stringify(inside)});
      release();
    }`;
  const run = (): Promise<unknown> =>
    promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  await Promise.all([run(), run(), run(), run()]);
  expect(readFileSync(join(folder, 'turns'), 'utf8')).toBe('x'.repeat(12));
});
