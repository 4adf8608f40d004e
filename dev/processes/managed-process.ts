/**
 * One child process: in a process group of its own, so that Ctrl-C reaches only us and we stop things in
 * order; its output in a log file; its pid and start time in a run file, so that the next run finds it when
 * we are killed. `stop` asks politely, waits, then kills the group.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { identityOf } from '../bootstrap/identity.mjs';
import type { Environment } from '../context.ts';
import { Failure } from '../failure.ts';
import { tailOf } from './log-tail.ts';

/** Where run files and logs go. */
export type ProcessFolders = Readonly<{ run: string; logs: string }>;

export type ProcessOptions = Readonly<{
  /** Unique among those that share `folders`; names the run file and the log. */
  name: string;
  command: string;
  args: readonly string[];
  folders: ProcessFolders;
  clock: Clock;
  env?: Environment;
  cwd?: string;
  uid?: number | undefined;
  gid?: number | undefined;
  /** What asks it to stop. Default SIGTERM. */
  stopSignal?: 'SIGTERM' | 'SIGINT';
  /** How long it may take to stop before it is killed. Default 10 s. */
  stopMs?: number;
}>;

export type Exit = Readonly<{ code: number | null; signal: NodeJS.Signals | null }>;

export type ManagedProcess = Readonly<{
  name: string;
  pid: number;
  logFile: string;
  /** Resolves when it has ended, for whatever reason. */
  exited: Promise<Exit>;
  hasExited: () => boolean;
  /** Asks it to stop, kills it when it does not; resolves when it is gone. May be called again. */
  stop: () => Promise<void>;
}>;

/** What a run file holds. */
export type RunRecord = Readonly<{
  name: string;
  pid: number;
  identity: string;
  stopSignal: 'SIGTERM' | 'SIGINT';
  stopMs: number;
}>;

const STOP_MS = 10_000;

/** Throws `ProcessExited` when the program cannot be started at all. */
export async function startProcess(options: ProcessOptions): Promise<ManagedProcess> {
  const { name, command, folders, clock, stopSignal = 'SIGTERM', stopMs = STOP_MS } = options;
  mkdirSync(folders.run, { recursive: true });
  mkdirSync(folders.logs, { recursive: true });
  const logFile = join(folders.logs, `${name}.log`);
  const runFile = join(folders.run, `${name}.json`);
  const log = openSync(logFile, 'a');
  const child = spawn(command, [...options.args], {
    cwd: options.cwd,
    env: { ...options.env },
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  let ended = false;
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      ended = true;
      rmSync(runFile, { force: true });
      resolve({ code, signal });
    });
  });
  const pid = await new Promise<number>((resolve, reject) => {
    child.once('error', (cause) =>
      reject(new Failure('ProcessExited', `${name} could not be started (${command})`, { cause })),
    );
    // The pid is known at once; the run file is written before anything else can happen.
    if (child.pid === undefined) return;
    const record: RunRecord = {
      name,
      pid: child.pid,
      identity: identityOf(child.pid) ?? '',
      stopSignal,
      stopMs,
    };
    writeFileSync(runFile, JSON.stringify(record));
    resolve(child.pid);
  });

  const stop = async (): Promise<void> => {
    if (ended) return;
    signalProcess(pid, stopSignal);
    const timer = clock.after(stopMs, () => signalProcess(-pid, 'SIGKILL'));
    await exited;
    timer.cancel();
  };
  return { name, pid, logFile, exited, hasExited: () => ended, stop };
}

/** Rejects with `ProcessExited` and the end of its log as soon as `process` ends; otherwise never settles. */
export async function failOnExit(process: ManagedProcess): Promise<never> {
  const { code, signal } = await process.exited;
  const how = signal ? `was ended by ${signal}` : `ended with code ${code}`;
  throw new Failure('ProcessExited', `${process.name} ${how}${tailOf(process.logFile)}`, {
    next: `Its whole log is ${process.logFile}.`,
  });
}

/** Sends a signal; a process that is already gone is fine. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
