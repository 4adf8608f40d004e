import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runningProcess, takeRunLock } from './run-lock.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dc-agent-lock-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('a second one is refused with the process that has it, and let in after it', () => {
  const release = takeRunLock(dir);
  expect(runningProcess(dir)).toBe(process.pid);
  expect(() => takeRunLock(dir)).toThrow(`as process ${process.pid}`);
  release();
  expect(runningProcess(dir)).toBeUndefined();
  takeRunLock(dir)();
});

test('a process that was killed blocks nobody', async () => {
  const program = `
    import { takeRunLock } from ${JSON.stringify(join(import.meta.dirname, 'run-lock.ts'))};
    takeRunLock(${JSON.stringify(dir)});
    console.log('taken');
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  expect(() => takeRunLock(dir)).toThrow(`as process ${child.pid}`);
  child.kill('SIGKILL');
  await once(child, 'exit');
  takeRunLock(dir)();
});

test('a process id that was given out again is not taken for the owner', () => {
  takeRunLock(dir)();
  writeFileSync(join(dir, 'lock', '7'), `${process.pid} another-boot/1`);
  expect(runningProcess(dir)).toBeUndefined();
  takeRunLock(dir)();
});
