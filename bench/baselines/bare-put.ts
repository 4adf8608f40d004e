/**
 * The baseline of a claim: the same status on the same object, written straight to the API server by a pooled
 * client, with nobody in between who authenticates an agent or decides anything.
 */
import { isLive, type LiveContract } from '../../crds/contract/contract.ts';
import { claim } from '../../crds/contract/lock.ts';
import type { Stage } from '../../test/world/market.ts';
import { addFree } from '../actors.ts';

const CLAIMANT = { name: 'agent-0', uid: 'aaaaaaaa-0000-4000-8000-000000000000', poolName: 'europe-script' };
const TTL_SECONDS = 300;

/** Contracts whose status is what a claim would write: PUT them. */
export async function addClaimed(
  stage: Stage,
  options: Readonly<{ count: number; prefix: string; now: Date }>,
): Promise<readonly LiveContract[]> {
  const free = await addFree(stage, options);
  return free.filter(isLive).map((contract) => {
    const agent = { ...CLAIMANT, session: 'session-0' };
    const facts = { agent, observedEpoch: 0, ttlSeconds: TTL_SECONDS, now: options.now };
    const verdict = claim(contract, { ...facts, eligible: { eligible: true } });
    if (verdict.outcome !== 'Write') throw new Error(`a free contract was not granted: ${verdict.outcome}`);
    return { ...contract, status: verdict.status };
  });
}
