import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually, type Scratch, scratch } from '../../provisioner/testing.ts';

const LOCK = new URL('./lock.mjs', import.meta.url).href;
let world: Scratch;
beforeEach(async () => {
  world = await scratch();
});
afterEach(() => world.remove());

/** A process that runs `body` under the lock of the scratch folder, again and again. */
async function contender(name: string, body: string, times = 1) {
  const text = `
    import { readFileSync, writeFileSync } from 'node:fs';
    import { setTimeout as delay } from 'node:timers/promises';
    import { withLock } from ${JSON.stringify(LOCK)};
    process.chdir(${JSON.stringify(world.dir)});
    for (let i = 0; i < ${times}; i++) await withLock(process.cwd(), async () => { ${body} });`;
  const child = execFile(process.execPath, [await world.program(`${name}.mjs`, text)]);
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { child, ended };
}
// Reads, waits and writes: without the lock, counts get lost.
const COUNT = `const n = Number(readFileSync('n', 'utf8')); await delay(2); writeFileSync('n', String(n + 1));`;

test('changes happen one at a time, between processes, and nothing piles up', async () => {
  writeFileSync(join(world.dir, 'n'), '0');
  const contenders = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => contender(name, COUNT, 10)));
  expect(await Promise.all(contenders.map(({ ended }) => ended))).toEqual([0, 0, 0, 0, 0]);
  expect(readFileSync(join(world.dir, 'n'), 'utf8')).toBe('50');
  expect(readdirSync(join(world.dir, '.lock')).length).toBeLessThanOrEqual(2);
});

test('who is killed while it holds the lock blocks nobody, and only one takes its place', async () => {
  writeFileSync(join(world.dir, 'n'), '0');
  const holder = await contender('holder', `writeFileSync('held', ''); await delay(60_000);`);
  await eventually(() => existsSync(join(world.dir, 'held')), 'the lock is held');
  const waiting = await Promise.all(['a', 'b', 'c', 'd'].map((name) => contender(name, COUNT)));
  holder.child.kill('SIGKILL');
  expect(await Promise.all(waiting.map(({ ended }) => ended))).toEqual([0, 0, 0, 0]);
  expect(readFileSync(join(world.dir, 'n'), 'utf8')).toBe('4');
});
