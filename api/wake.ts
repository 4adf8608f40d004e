/**
 * Who waits for what: long polls and event streams wait under keys, informers notify keys. A notification costs
 * as much as there are waiters under its key, never as much as there are contracts.
 */
import type { Clock } from '../lib/clock.ts';

export const WAKE = {
  contract: (uid: string) => `contract/${uid}`,
  agent: (uid: string) => `agent/${uid}`,
  demand: (key: string) => `demand/${key}`,
  /** Public key of an agent. */
  key: (publicKey: string) => `key/${publicKey}`,
} as const;

/** How long a request waits for its own write, or another facade's, to come back through a watch. */
const CATCH_UP_MS = 1000;

type CatchUp = Readonly<{
  keys: readonly string[];
  isThere: () => boolean;
  signal?: AbortSignal | undefined;
}>;

/** Waits until the cache knows, at most a second: whoever calls goes on either way. */
export async function untilCached(
  { wakes, clock, stopping }: Readonly<{ wakes: Wakes; clock: Clock; stopping: AbortSignal }>,
  { keys, isThere, signal = stopping }: CatchUp,
): Promise<boolean> {
  const startedMs = clock.monotonicMs();
  while (!isThere()) {
    const leftMs = CATCH_UP_MS - (clock.monotonicMs() - startedMs);
    if (leftMs <= 0 || signal.aborted) return false;
    await wakes.wait(keys, { ms: leftMs, signal });
  }
  return true;
}

export class Wakes {
  readonly #waiters = new Map<string, Set<() => void>>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many keys are waited for. */
  get size(): number {
    return this.#waiters.size;
  }

  notify(key: string): void {
    for (const wake of [...(this.#waiters.get(key) ?? [])]) wake();
  }

  /** Resolves at the first notification of any key, after `ms`, or when `signal` is aborted; never rejects. */
  wait(
    keys: readonly string[],
    { ms, signal }: Readonly<{ ms: number; signal: AbortSignal }>,
  ): Promise<void> {
    return this.arm(keys, { ms, signal }).woken;
  }

  /** Like `wait`, but counts from now on: arm first, look, and then await, so that nothing slips in between. */
  arm(
    keys: readonly string[],
    { ms, signal }: Readonly<{ ms: number; signal: AbortSignal }>,
  ): Readonly<{ woken: Promise<void>; disarm: () => void }> {
    let disarm = (): void => {};
    const woken = new Promise<void>((resolve) => {
      const finish = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', finish);
        for (const key of keys) this.#remove(key, finish);
        resolve();
      };
      const timer = this.#clock.after(ms, finish);
      disarm = finish;
      if (signal.aborted) return finish();
      signal.addEventListener('abort', finish, { once: true });
      for (const key of keys) this.#add(key, finish);
    });
    return { woken, disarm };
  }

  #add(key: string, wake: () => void): void {
    const waiting = this.#waiters.get(key);
    if (waiting) waiting.add(wake);
    else this.#waiters.set(key, new Set([wake]));
  }

  #remove(key: string, wake: () => void): void {
    const waiting = this.#waiters.get(key);
    waiting?.delete(wake);
    if (waiting?.size === 0) this.#waiters.delete(key);
  }
}
