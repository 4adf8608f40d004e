/**
 * What an agent was offered and did not claim: it may be too large for what the machine has by its own sums. The oldest
 * of these stay on offer, and others are offered beside them, further back from poll to poll; an agent whose load
 * changed is another one, and is asked everything anew.
 */
import type { LiveContract } from '../../crds/contract/contract.ts';
import type { PreparedAgent } from '../../crds/placement/supply.ts';

/** So long an agent has to claim before others are offered too. */
const DECLINED_AFTER_MS = 1000;
/** Then it is offered as if for the first time: the machine may have room that nobody told us of. */
const FORGOTTEN_AFTER_MS = 120_000;
const REMEMBERED_MAX = 8192;

type Offer = Readonly<{ epoch: number; atMs: number }>;

export type Offers = Readonly<{
  isDeclined: (contract: LiveContract) => boolean;
  note: (contracts: readonly LiveContract[]) => void;
}>;

const kept = new WeakMap<PreparedAgent, Map<string, Offer>>();

export function offersOf(agent: PreparedAgent, nowMs: number): Offers {
  const offers = kept.get(agent) ?? new Map<string, Offer>();
  kept.set(agent, offers);
  const ageMs = ({ metadata, status }: LiveContract): number => {
    const offer = offers.get(metadata.uid ?? '');
    return offer?.epoch === status.epoch ? nowMs - offer.atMs : Number.POSITIVE_INFINITY;
  };
  return {
    isDeclined: (contract) => {
      const age = ageMs(contract);
      return age >= DECLINED_AFTER_MS && age < FORGOTTEN_AFTER_MS;
    },
    note: (contracts) => {
      if (offers.size >= REMEMBERED_MAX) offers.clear();
      for (const contract of contracts)
        if (ageMs(contract) >= FORGOTTEN_AFTER_MS)
          offers.set(contract.metadata.uid ?? '', { epoch: contract.status.epoch, atMs: nowMs });
    },
  };
}
