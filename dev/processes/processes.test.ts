/** Child processes: stopped politely or not, found again after a crash, and never mistaken for another. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import { identityOf, isAlive } from '../bootstrap/identity.mjs';
import { temporaryFolder } from '../control-plane/stand-ins.ts';
import { findLeftovers, stopLeftovers } from './leftovers.ts';
import { failOnExit, type ManagedProcess, type ProcessFolders, startProcess } from './managed-process.ts';
import { waitUntil } from './wait-until.ts';

let folder: string;
let folders: ProcessFolders;
const started: ManagedProcess[] = [];

beforeEach(() => {
  folder = temporaryFolder();
  folders = { run: join(folder, 'run'), logs: join(folder, 'logs') };
});
afterEach(async () => {
  for (const process of started.splice(0)) await process.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function shell(
  name: string,
  script: string,
  options: { stopMs?: number } = {},
): Promise<ManagedProcess> {
  const process = await startProcess({
    ...{ name, command: '/bin/sh', args: ['-c', script], folders, clock: systemClock },
    env: { PATH: '/usr/bin:/bin' },
    ...options,
  });
  started.push(process);
  return process;
}

/** Resolves when the log of `process` has `text`. */
async function logged(process: ManagedProcess, text: string): Promise<void> {
  const probe = async (): Promise<void> => expect(readFileSync(process.logFile, 'utf8')).toContain(text);
  const { signal } = new AbortController();
  await waitUntil(probe, { what: 'the log', clock: systemClock, signal, timeoutMs: 5_000, pollMs: 10 });
}

test('output goes to the log, and a run file is there for as long as the process', async () => {
  const process = await shell('talker', 'echo hello; sleep 60');
  await logged(process, 'hello');
  expect(findLeftovers(folders.run)).toMatchObject([{ name: 'talker', pid: process.pid }]);
  await process.stop();
  expect(await process.exited).toEqual({ code: null, signal: 'SIGTERM' });
  expect(existsSync(join(folders.run, 'talker.json'))).toBe(false);
});

test('what does not stop when asked is killed, with what it started', async () => {
  const process = await shell('deaf', 'trap "" TERM; sleep 60 & echo child $!; wait; sleep 60', {
    stopMs: 100,
  });
  await logged(process, 'child');
  const child = Number(/child (\d+)/.exec(readFileSync(process.logFile, 'utf8'))?.[1]);
  await process.stop();
  expect(await process.exited).toEqual({ code: null, signal: 'SIGKILL' });
  await waitUntil(async () => expect(identityOf(child)).toBeUndefined(), {
    ...{ what: 'the end of the child', clock: systemClock, timeoutMs: 5_000, pollMs: 10 },
    signal: new AbortController().signal,
  });
});

test('one that ends by itself is told with the end of its log', async () => {
  const process = await shell('failing', 'echo cannot open the door >&2; exit 3');
  await expect(failOnExit(process)).rejects.toThrow(/failing ended with code 3:\n {4}cannot open the door/);
});

test('a program that is not there is a failure, not a crash', async () => {
  const starting = startProcess({
    name: 'ghost',
    command: '/nonexistent',
    args: [],
    folders,
    clock: systemClock,
  });
  await expect(starting).rejects.toMatchObject({ code: 'ProcessExited' });
});

test('leftovers of a killed run are stopped, servers last', async () => {
  // Started by another process that forgets about them, as after a SIGKILL.
  mkdirSync(folders.run, { recursive: true });
  for (const name of ['postgres', 'client', 'etcd']) {
    const child = spawn('/bin/sh', ['-c', 'sleep 60'], { detached: true, stdio: 'ignore' });
    const record = {
      name,
      pid: child.pid,
      identity: identityOf(child.pid ?? 0),
      stopSignal: 'SIGTERM',
      stopMs: 1000,
    };
    writeFileSync(join(folders.run, `${name}.json`), JSON.stringify(record));
  }
  const stopped = await stopLeftovers(folders.run, { clock: systemClock, order: ['etcd', 'postgres'] });
  expect(stopped).toEqual(['client', 'etcd', 'postgres']);
  expect(findLeftovers(folders.run)).toEqual([]);
});

test('a process that was given the pid of a leftover is left alone', async () => {
  const innocent = await shell('innocent', 'sleep 60');
  const record = {
    name: 'old',
    pid: innocent.pid,
    identity: 'an earlier boot/1',
    stopSignal: 'SIGTERM',
    stopMs: 0,
  };
  const file = join(folders.run, 'old.json');
  writeFileSync(file, JSON.stringify(record));
  rmSync(join(folders.run, 'innocent.json'));
  expect(await stopLeftovers(folders.run, { clock: systemClock })).toEqual([]);
  expect(existsSync(file)).toBe(false);
  expect(innocent.hasExited()).toBe(false);
});

test('a run file that was cut short is removed', async () => {
  mkdirSync(folders.run, { recursive: true });
  writeFileSync(join(folders.run, 'half.json'), '{"name":"ha');
  expect(await stopLeftovers(folders.run, { clock: systemClock })).toEqual([]);
  expect(existsSync(join(folders.run, 'half.json'))).toBe(false);
});

test('our own identity is ours, and of no pid that nobody has', () => {
  expect(isAlive({ pid: process.pid, identity: identityOf(process.pid) ?? '' })).toBe(true);
  expect(isAlive({ pid: process.pid, identity: 'another' })).toBe(false);
  expect(identityOf(2 ** 22 + 1)).toBeUndefined();
});
