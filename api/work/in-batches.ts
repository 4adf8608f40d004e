/** Many small calls, a few at a time: the API server is shared with everybody else. */

export async function inBatches<T>(
  items: readonly T[],
  { size, each }: Readonly<{ size: number; each: (item: T) => Promise<void> }>,
): Promise<void> {
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await each(item);
  };
  await Promise.all(Array.from({ length: size }, worker));
}
