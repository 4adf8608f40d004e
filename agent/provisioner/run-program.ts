/**
 * Runs one program to its end: no shell, no arguments, one text on stdin, then EOF. Time and output are bounded;
 * at the deadline, and when the signal is aborted, the program's whole process group is killed and waited for.
 * It neither parses nor logs what it passes on: that may hold secrets.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { delimiter, dirname } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { ProvisionerError } from './provisioner-error.ts';

/** More than any answer needs; a program that writes on and on is stopped here. */
export const STDOUT_MAX_BYTES = 4 * 1024 * 1024;
const STDERR_TAIL_BYTES = 8 * 1024;
/** How long a program that has ended may keep its stdout open in a process that it left behind. */
const LINGER_MS = 250;

export type RunDeps = Readonly<{ clock: Clock; environment: Readonly<Record<string, string | undefined>> }>;
export type Run = Readonly<{ program: string; stdin: string; timeoutMs: number; signal: AbortSignal }>;
export type Finished = Readonly<{
  exitCode: number | null;
  exitSignal: NodeJS.Signals | null;
  stdout: Buffer;
  /** The end of what it said, at most 8 KiB. */
  stderr: string;
}>;

/** Throws `ProgramNotStarted`, `ProgramTimedOut`, `ProgramAnswerTooLarge`, or the signal's reason. */
export async function runProgram(deps: RunDeps, run: Run): Promise<Finished> {
  run.signal.throwIfAborted();
  const child = start(deps, run);
  let stopped: unknown;
  const stop = (because: unknown): void => {
    stopped ??= because;
    killGroup(child.pid);
  };
  const stdout = gather(child.stdout, (bytes) => {
    if (bytes > STDOUT_MAX_BYTES) stop(tooLarge(run.program));
  });
  const stderr = gatherTail(child.stderr);
  const onAbort = (): void => stop(run.signal.reason);
  run.signal.addEventListener('abort', onAbort, { once: true });
  const deadline = deps.clock.after(run.timeoutMs, () => stop(timedOut(run, stderr())));
  try {
    child.stdin.on('error', () => undefined); // it need not read its input: its answer is what counts
    child.stdin.end(run.stdin);
    const ended = await exited(deps.clock, child, run.program);
    if (stopped !== undefined) throw stopped;
    return { ...ended, stdout: stdout(), stderr: stderr() };
  } finally {
    deadline.cancel();
    run.signal.removeEventListener('abort', onAbort);
  }
}

function start({ environment }: RunDeps, { program }: Run): ChildProcessWithoutNullStreams {
  // The Node that runs the agent comes first, so that `#!/usr/bin/env node` finds one that is new enough.
  const path = [dirname(process.execPath), environment['PATH']].filter(Boolean).join(delimiter);
  try {
    // A group of its own is what makes it possible to kill all that it has started.
    return spawn(program, [], { detached: true, stdio: 'pipe', env: { ...environment, PATH: path } });
  } catch (error) {
    throw notStarted(program, error);
  }
}

function exited(clock: Clock, child: ChildProcessWithoutNullStreams, program: string) {
  return new Promise<Pick<Finished, 'exitCode' | 'exitSignal'>>((resolve, reject) => {
    child.once('error', (error) => reject(notStarted(program, error)));
    child.once('exit', () => {
      const linger = clock.after(LINGER_MS, () => {
        child.stdout.destroy();
        child.stderr.destroy();
      });
      child.once('close', () => linger.cancel());
    });
    child.once('close', (exitCode, exitSignal) => resolve({ exitCode, exitSignal }));
  });
}

/** The group's id stays taken while any process of it lives, so this never hits a stranger. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // nobody of the group is left
  }
}

function gather(stream: NodeJS.ReadableStream, onGrowth: (bytes: number) => void): () => Buffer {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= STDOUT_MAX_BYTES) chunks.push(chunk);
    onGrowth(bytes);
  });
  return () => Buffer.concat(chunks);
}

function gatherTail(stream: NodeJS.ReadableStream): () => string {
  let tail = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]).subarray(-STDERR_TAIL_BYTES);
  });
  return () => tail.toString('utf8').trim();
}

function notStarted(program: string, cause: unknown): ProvisionerError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
  const why = {
    ENOENT: 'it, or the interpreter in its first line, does not exist',
    EACCES: 'it is not executable for this user',
    ENOEXEC: 'it has no interpreter in its first line',
  }[code];
  return new ProvisionerError('ProgramNotStarted', `${program} could not be started: ${why ?? code}`, {
    remedy: 'Correct the path in [provisioner.script]; the file needs a "#!" line and mode 0755.',
    cause,
  });
}

function timedOut({ program, timeoutMs }: Run, stderr: string): Error {
  const said = stderr === '' ? 'it said nothing on stderr' : `its last words: ${stderr.slice(-500)}`;
  return new ProvisionerError(
    'ProgramTimedOut',
    `${program} was killed after ${timeoutMs / 1000} s; ${said}`,
    {
      remedy: 'Find out what it waits for, or raise timeout_seconds in [provisioner.script].',
    },
  );
}

function tooLarge(program: string): Error {
  return new ProvisionerError(
    'ProgramAnswerTooLarge',
    `${program} wrote more than ${STDOUT_MAX_BYTES} bytes`,
    {
      remedy: 'Write one JSON document to stdout, and everything else to stderr.',
    },
  );
}
