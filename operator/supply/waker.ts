/**
 * Contracts that wait are looked at again when what they wait for has changed: found by index under one key, never
 * by walking over all. At once, or a moment later where nothing is lost by it; and only so many a second for each
 * key, in turns, however many wait: a pool that is busy all day must not keep the operator busy.
 */
import type { Clock, Timer } from '../../lib/clock.ts';

/** Looks for one key at a time, and how far apart. */
export const SLICE = 64;
const SLICE_EVERY_MS = 1_000;

export type Urgency = 'Now' | 'Soon';

export type Waker = Readonly<{
  /** Everything that waits under `key` is due. */
  mark: (key: string, urgency: Urgency) => void;
  stop: () => void;
}>;

type Options = Readonly<{
  clock: Pick<Clock, 'monotonicMs' | 'after'>;
  /** All that waits under a key, in a stable order. */
  waitingUnder: (key: string) => readonly string[];
  wake: (waiting: string) => void;
}>;

type Pass = { rest: readonly string[]; isDueAgain: boolean; timer: Timer | undefined; atMs: number };

export function createWaker({ clock, waitingUnder, wake }: Options): Waker {
  const passes = new Map<string, Pass>();
  const slicedAtMs = new Map<string, number>();
  let isStopped = false;

  const slice = (key: string, pass: Pass): void => {
    const all = pass.rest.length > 0 ? pass.rest : waitingUnder(key);
    pass.rest = all.slice(SLICE);
    slicedAtMs.set(key, clock.monotonicMs());
    for (const waiting of all.slice(0, SLICE)) wake(waiting);
    if (pass.rest.length > 0 || pass.isDueAgain) {
      if (pass.rest.length === 0) pass.isDueAgain = false;
      plan(key, { pass, inMs: SLICE_EVERY_MS });
      return;
    }
    passes.delete(key);
    if (all.length === 0) slicedAtMs.delete(key);
  };
  const plan = (key: string, { pass, inMs }: Readonly<{ pass: Pass; inMs: number }>): void => {
    pass.timer?.cancel();
    if (inMs <= 0) {
      slice(key, pass);
      return;
    }
    pass.atMs = clock.monotonicMs() + inMs;
    pass.timer = clock.after(inMs, () => slice(key, pass));
  };

  return {
    mark: (key, urgency) => {
      if (isStopped) return;
      const nowMs = clock.monotonicMs();
      const restMs = (slicedAtMs.get(key) ?? Number.NEGATIVE_INFINITY) + SLICE_EVERY_MS - nowMs;
      const inMs = Math.max(0, restMs, urgency === 'Now' ? 0 : SLICE_EVERY_MS);
      const known = passes.get(key);
      if (known) {
        if (known.rest.length > 0) known.isDueAgain = true;
        else if (known.atMs > nowMs + inMs) plan(key, { pass: known, inMs });
        return;
      }
      const pass: Pass = { rest: [], isDueAgain: false, timer: undefined, atMs: nowMs };
      passes.set(key, pass);
      plan(key, { pass, inMs });
    },
    stop: () => {
      isStopped = true;
      for (const { timer } of passes.values()) timer?.cancel();
      passes.clear();
    },
  };
}
