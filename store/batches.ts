/**
 * Many small writes as few statements: what is asked for while a statement is under way goes together with the
 * next one. Alone nobody waits longer than without it; an operator that starts tells of ten thousand machines.
 */

type Waiting<T> = Readonly<{ item: T; done: () => void; failed: (error: unknown) => void }>;

export type Batches<T> = Readonly<{
  /** One statement. It may be asked for the same items again. */
  write: (items: readonly T[]) => Promise<void>;
  /** A statement never holds two items with one key: the later one goes with the next. */
  keyOf: (item: T) => string;
  /** True: the items are not at fault, so none of them is tried alone. */
  isUnavailable: (error: unknown) => boolean;
  sizeMax?: number;
}>;

/** Answers a function that resolves when its item is written, and rejects with what kept this item from it. */
export function createBatches<T>(batches: Batches<T>): (item: T) => Promise<void> {
  const { write, keyOf, isUnavailable, sizeMax = 500 } = batches;
  let waiting: Waiting<T>[] = [];
  let isWriting = false;

  const takeBatch = (): readonly Waiting<T>[] => {
    const batch = new Map<string, Waiting<T>>();
    const later: Waiting<T>[] = [];
    for (const each of waiting) {
      const key = keyOf(each.item);
      if (batch.has(key) || batch.size >= sizeMax) later.push(each);
      else batch.set(key, each);
    }
    waiting = later;
    return [...batch.values()];
  };
  const writeBatch = async (batch: readonly Waiting<T>[]): Promise<void> => {
    try {
      await write(batch.map(({ item }) => item));
      for (const { done } of batch) done();
    } catch (error) {
      // One item that the database refuses must not take the others with it.
      if (batch.length > 1 && !isUnavailable(error)) for (const each of batch) await writeBatch([each]);
      else for (const { failed } of batch) failed(error);
    }
  };
  const writeAll = async (): Promise<void> => {
    if (isWriting) return;
    isWriting = true;
    while (waiting.length > 0) await writeBatch(takeBatch());
    isWriting = false;
  };

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, done: resolve, failed: reject });
      void writeAll();
    });
}
