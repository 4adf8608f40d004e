/**
 * How something is measured here: ours and its baselines take turns round by round, in alternating order, and what
 * counts is the median of the ratios of each round, with the least and the greatest beside it.
 */
import { systemClock } from '../lib/clock.ts';

/** Of the round before the first: connections are opened and code gets warm, its figures are thrown away. */
export const WARM_UP = -1;

/** One figure of one round, in whatever unit; the same for all that are compared. */
export type Subject = (round: number) => Promise<number>;

/** Every subject once a round, forwards in even rounds and backwards in odd ones. */
export async function interleave<Name extends string>(
  rounds: number,
  subjects: Readonly<Record<Name, Subject>>,
): Promise<Readonly<Record<Name, readonly number[]>>> {
  const names = Object.keys(subjects) as Name[]; // the keys of a record of Name
  const figures = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (const name of names) await subjects[name](WARM_UP);
  for (let round = 0; round < rounds; round++)
    for (const name of round % 2 === 0 ? names : names.toReversed())
      figures[name].push(await subjects[name](round));
  return figures;
}

/** The value below which the share `part` (0 to 1) of `figures` lies; NaN when there are none. */
export function percentile(figures: readonly number[], part: number): number {
  const sorted = figures.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}

export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}

export type Ratio = Readonly<{ median: number; min: number; max: number }>;

/** Of figures that were taken in the same rounds. */
export function ratioOf(ours: readonly number[], theirs: readonly number[]): Ratio {
  const ratios = ours.map((figure, round) => figure / (theirs[round] ?? Number.NaN));
  return { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) };
}

/** How long `work` takes, in milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = systemClock.monotonicMs();
  await work();
  return systemClock.monotonicMs() - startedMs;
}

/** Gives every item to one of `size` workers, each with one at a time; `worker` says which of them. */
export async function share<T>(
  items: readonly T[],
  { size, each }: Readonly<{ size: number; each: (item: T, worker: number) => Promise<unknown> }>,
): Promise<void> {
  const queue = items.values();
  const work = async (worker: number): Promise<void> => {
    for (const item of queue) await each(item, worker);
  };
  await Promise.all(Array.from({ length: size }, (_, worker) => work(worker)));
}
