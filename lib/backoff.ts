/** Exponential backoff with jitter, as pure numbers: whoever waits brings the clock. */

export type Backoff = Readonly<{ firstMs: number; maxMs: number; factor: number; jitter: number }>;

/**
 * Delay before retry number `attempt` (0 is the first retry). `jitter` 0.5 spreads the delay over ± 50 %;
 * `random` in [0, 1) is a parameter so that a test, or a hash, can fix it.
 */
export function backoffMs(attempt: number, backoff: Backoff, random: number = Math.random()): number {
  const plain = Math.min(backoff.maxMs, backoff.firstMs * backoff.factor ** Math.min(attempt, 64));
  return Math.min(backoff.maxMs, plain * (1 + backoff.jitter * (2 * random - 1)));
}
