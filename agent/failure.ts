/** What ends a command: one sentence on what is wrong, one on what to do, and an exit code. Never a stack trace. */

/** 1: it failed. 2: used or configured wrongly. 3: starting it again cannot help (revoked, superseded). */
export const EXIT = { Failed: 1, Misused: 2, Final: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exitCode: ExitCode;
  /** What to do next: an instruction. */
  readonly next: string;

  constructor(
    message: string,
    { next, exitCode = EXIT.Failed, cause }: Readonly<{ next: string; exitCode?: ExitCode; cause?: unknown }>,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.exitCode = exitCode;
    this.next = next;
  }
}

/** `ENOENT` and the like; undefined for anything that is no error of the system. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
