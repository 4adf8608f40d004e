/** One process that can be killed at any moment and started again: the same command, the same port, the same disk. */
import {
  type ManagedProcess,
  type ProcessOptions,
  signalProcess,
  startProcess,
} from '../../../dev/processes/managed-process.ts';

export type Program = Readonly<{
  name: string;
  logFile: string;
  /** SIGKILL, before this returns; only the process itself, not what it started. Does nothing when it is dead. */
  kill: () => void;
  /** SIGSTOP or SIGCONT. */
  signal: (signal: 'SIGSTOP' | 'SIGCONT') => void;
  isRunning: () => boolean;
  /** Waits until the one before is gone, then starts it again; does nothing while it runs. */
  start: () => Promise<void>;
  /** How often it was started. */
  starts: () => number;
  stop: () => Promise<void>;
}>;

export async function startProgram(options: ProcessOptions): Promise<Program> {
  let current: ManagedProcess = await startProcess(options);
  let starts = 1;
  let isDying = false;
  return {
    name: options.name,
    logFile: current.logFile,
    kill: () => {
      if (current.hasExited()) return;
      isDying = true;
      signalProcess(current.pid, 'SIGKILL');
    },
    signal: (signal) => {
      if (!current.hasExited()) signalProcess(current.pid, signal);
    },
    isRunning: () => !isDying && !current.hasExited(),
    start: async () => {
      if (!isDying && !current.hasExited()) return;
      await current.exited;
      isDying = false;
      current = await startProcess(options);
      starts++;
    },
    starts: () => starts,
    stop: async () => {
      if (!current.hasExited()) signalProcess(current.pid, 'SIGCONT');
      await current.stop();
    },
  };
}
