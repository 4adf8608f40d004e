/** Deadlines and cancellation: every request and every wait carries an `AbortSignal` made here. */

/** Aborts when `parent` does or after `ms`, whichever is first; the reason of a deadline is a `TimeoutError`. */
export function withDeadline(parent: AbortSignal | undefined, ms: number): AbortSignal {
  const deadline = AbortSignal.timeout(Math.max(0, Math.ceil(ms)));
  return parent ? AbortSignal.any([parent, deadline]) : deadline;
}

/** True for the errors that an aborted fetch, sleep or stream throws because `signal` was aborted. */
export function isAbort(error: unknown, signal: AbortSignal): boolean {
  return (
    signal.aborted && (error === signal.reason || (error instanceof Error && error.name === 'AbortError'))
  );
}

/** Resolves when `signal` is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
