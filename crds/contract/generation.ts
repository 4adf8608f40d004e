/**
 * The generation of the world: how often an older etcd was put back. It is the high part of every epoch, so that a
 * grant after a restore is above all that were given before, also above those that nobody remembers any more.
 * Source: docs/contract.md, 12.
 */

/** epoch = generation × 1,000,000 + n */
export const EPOCHS_PER_GENERATION = 1_000_000;

export const generationOf = (epoch: number): number => Math.floor(epoch / EPOCHS_PER_GENERATION);

/** Every epoch of earlier generations is below it, and no grant has it. */
export const floorOf = (generation: number): number => generation * EPOCHS_PER_GENERATION;

type Grant = Readonly<{ epoch: number; generation: number }>;

/** The epoch of the next grant. */
export const nextEpoch = ({ epoch, generation }: Grant): number =>
  Math.max(epoch + 1, floorOf(generation) + 1);

/**
 * An epoch above the contract's was granted by a world that etcd does not remember. One of an earlier generation
 * is from the world before the last restore, which is known already: only the others are news.
 */
export const isFromLostWorld = (
  epoch: number,
  { statusEpoch, generation }: Readonly<{ statusEpoch: number; generation: number }>,
): boolean => epoch > statusEpoch && generationOf(epoch) >= generation;
