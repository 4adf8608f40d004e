/**
 * Settling in a world that may be an older one: nothing is decided while it is Resolving, a proven epoch above the
 * contract's gives an older etcd away, and nobody is told to destroy before a live look at the world.
 */

import type { LiveContract } from '../../crds/contract/contract.ts';
import { generationOf, isFromLostWorld } from '../../crds/contract/generation.ts';
import { Problem } from '../../crds/problem.ts';
import type { Deps } from '../deps.ts';
import { type Settled, settle } from '../settle.ts';

type Input<A> = Parameters<typeof settle<A>>[1] &
  Readonly<{
    /** What the caller says that it was granted. */
    granted: Readonly<{ agentUID: string; epoch?: number | undefined; proof?: string | undefined }>;
  }>;

/** As `settle`. Throws RestoreInProgress too. */
export async function settleInWorld<A>(deps: Deps, { cached, rule, granted }: Input<A>): Promise<Settled<A>> {
  const { world } = deps;
  const watched = (contract: LiveContract) => {
    world.requireNormal();
    return rule(contract);
  };
  try {
    const settled = await settle(deps, { cached, rule: watched });
    if (saysDestroy(settled.answer)) await world.requireCertain();
    return settled;
  } catch (error) {
    const { epoch = 0, agentUID, proof } = granted;
    const contractUID = cached.metadata.uid ?? '';
    const { generation } = world.now();
    const statusEpoch = aheadOf(error);
    if (
      statusEpoch !== undefined &&
      isFromLostWorld(epoch, { statusEpoch, generation }) &&
      (await world.isProof({ contractUID, agentUID, epoch }, proof))
    ) {
      await world.raise({ because: 'EpochAhead', generation: generationOf(epoch), revealedBy: agentUID });
      world.requireNormal();
    }
    if (error instanceof Problem && saysDestroy(error.extra['data'])) await world.requireCertain();
    throw error;
  }
}

/** The contract's epoch, read live, that a call was refused for being above; undefined: it failed for another reason. */
function aheadOf(error: unknown): number | undefined {
  const data = error instanceof Problem ? error.extra['data'] : undefined;
  if (typeof data !== 'object' || data === null || !('statusEpoch' in data)) return undefined;
  return typeof data.statusEpoch === 'number' ? data.statusEpoch : undefined;
}

const saysDestroy = (answer: unknown): boolean =>
  typeof answer === 'object' && answer !== null && 'then' in answer && answer.then === 'Destroy';
