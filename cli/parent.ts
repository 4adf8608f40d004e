/** What each group of commands is given. */
import type { Command } from 'commander';
import type { Session } from './session.ts';

export type Parent = Readonly<{
  program: Command;
  /** The session of the command that was called, with the global options it was given. */
  open: (command: Command) => Session;
  exitCode: ExitCode;
}>;

/** Commands set it when the server did as it was asked and the outcome is bad all the same. */
export type ExitCode = { value: number };
