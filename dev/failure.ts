/**
 * What went wrong while something was being set up, in words for the person at the terminal: what is wrong,
 * with which thing, and what to do next. Nobody sees a stack trace; the log has the cause.
 */

/** Stable codes, and whether the same command may work when it is simply run again. */
export const FAILURES = {
  ControlPlaneUnavailable: { retryable: false },
  DownloadFailed: { retryable: true },
  DigestMismatch: { retryable: true },
  BuildFailed: { retryable: true },
  ProcessExited: { retryable: true },
  NotReadyInTime: { retryable: true },
  PortTaken: { retryable: false },
  AlreadyRunning: { retryable: false },
  DatabaseUnreachable: { retryable: true },
  DatabaseNotInitialised: { retryable: false },
  ChecksFailed: { retryable: false },
  BadArguments: { retryable: false },
  StepFailed: { retryable: true },
} as const satisfies Record<string, { retryable: boolean }>;
export type FailureCode = keyof typeof FAILURES;

export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: FailureCode;
  /** An instruction: what to do next. */
  readonly next: string | undefined;

  constructor(code: FailureCode, message: string, options: { next?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.next = options.next;
  }

  get retryable(): boolean {
    return FAILURES[this.code].retryable;
  }
}

/** Why something was given up that did not fail itself: Ctrl-C, or a step beside it that failed. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** Was it given up, rather than failed? What Node aborts itself has our reason as its cause. */
export function isInterruption(error: unknown): boolean {
  return error instanceof Interrupted || (error instanceof Error && error.cause instanceof Interrupted);
}

/** The message of anything that was thrown, with the messages of its causes: `a: b`. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.message || ('code' in error ? String(error.code) : error.name);
  return error.cause instanceof Error ? `${own}: ${messageOf(error.cause)}` : own;
}
