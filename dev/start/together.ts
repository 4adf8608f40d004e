/** Two steps side by side, of which both succeed or none is left half-way. */
import type { Dev } from '../commands/dev.ts';
import { Interrupted } from '../failure.ts';

type Work<T> = (dev: Dev) => Promise<T>;

/** As `Promise.all`, but the first failure interrupts the other one, and is thrown when both have ended. */
export async function together<A, B>(dev: Dev, [a, b]: readonly [Work<A>, Work<B>]): Promise<[A, B]> {
  const failing = new AbortController();
  const signal = AbortSignal.any([dev.signal, failing.signal]);
  let first: unknown;
  const run = async <T>(work: Work<T>): Promise<T> => {
    try {
      return await work({ ...dev, signal });
    } catch (error) {
      if (!failing.signal.aborted) first = error;
      failing.abort(new Interrupted('another step failed'));
      throw error;
    }
  };
  const both = [run(a), run(b)] as const;
  await Promise.allSettled(both);
  if (failing.signal.aborted) throw first;
  return Promise.all(both);
}
