/** What the program is given from outside; a test gives its own. Nothing in `cli/` reads `process` itself. */
import type { Readable } from 'node:stream';
import type { Clock } from '../lib/clock.ts';

export type Output = Readonly<{
  write: (text: string) => unknown;
  isTTY?: boolean | undefined;
  columns?: number | undefined;
  rows?: number | undefined;
}>;

export type Input = Readable & { isTTY?: boolean | undefined };

export type Context = Readonly<{
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
  stdin: Input;
  stdout: Output;
  stderr: Output;
  homeFolder: string;
  /** The checkout that this program is part of: `npm start` leaves its address and keys in it. */
  programFolder: string;
}>;
