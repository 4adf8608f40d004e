/** When this process last wrote each object: figures alone are not worth a write every time they move. */
import type { Clock } from '../lib/clock.ts';

export type WriteTimes = Readonly<{
  sinceMs: (key: string) => number;
  note: (key: string) => void;
  forget: (key: string) => void;
}>;

/** A busy watch brings a write so much later: what is ten seconds apart here must be so for whoever looks on. */
const SEEN_LATE_MS = 250;

export function createWriteTimes(clock: Clock): WriteTimes {
  const times = new Map<string, number>();
  return {
    sinceMs: (key) => clock.monotonicMs() - (times.get(key) ?? Number.NEGATIVE_INFINITY),
    note: (key) => void times.set(key, clock.monotonicMs() + SEEN_LATE_MS),
    forget: (key) => void times.delete(key),
  };
}
