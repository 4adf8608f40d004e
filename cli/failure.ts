/** How a command fails: what is wrong, what to do, and the exit code that a script sees. */
import type { ProblemBody } from '../crds/wire/envelope.ts';

/** Refused: the server said no. Usage: the command is wrong. Network: nobody answered. */
export const EXIT_CODES = { Refused: 1, Usage: 2, Network: 3 } as const;
export type FailureKind = keyof typeof EXIT_CODES;

/** What a shell expects of a program that Ctrl-C ended. */
export const EXIT_INTERRUPTED = 130;

type Options = Readonly<{
  /** What to do, one sentence. */
  next?: string | undefined;
  /** The refusal as it was answered, for `--json`. */
  problem?: ProblemBody | undefined;
  cause?: unknown;
}>;

export class Failure extends Error {
  override readonly name = 'Failure';
  readonly kind: FailureKind;
  readonly next: string | undefined;
  readonly problem: ProblemBody | undefined;

  constructor(kind: FailureKind, message: string, { next, problem, cause }: Options = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.next = next;
    this.problem = problem;
  }

  get exitCode(): number {
    return EXIT_CODES[this.kind];
  }
}
