/** Why an accepted contract waits, in words that name no machine of the provider's: the tenant reads them. */
import { REGION_NAMES } from '../../../crds/regions.ts';
import type { Facts } from '../facts.ts';

export type Waiting = Readonly<{
  reason: 'AwaitingAgent' | 'NoPool' | 'NoAgentOnline' | 'NoEligibleAgent';
  message: string;
}>;

export function awaitingAgent({
  contract,
  terms,
  supply,
}: Pick<Facts, 'contract' | 'terms' | 'supply'>): Waiting {
  const agreed = contract.spec.termsSnapshot ?? terms;
  const region = agreed ? REGION_NAMES[agreed.region] : 'its region';
  const free = 'You are not charged while you wait; cancel at any time.';
  if (supply.pools === 0) return { reason: 'NoPool', message: `No pool in ${region} builds this. ${free}` };
  if (supply.agentsOnline === 0)
    return { reason: 'NoAgentOnline', message: `No agent in ${region} is online right now. ${free}` };
  if (supply.agentsEligible === 0)
    return { reason: 'NoEligibleAgent', message: `No agent in ${region} takes new work right now. ${free}` };
  const agents = supply.agentsEligible === 1 ? 'an agent' : `one of ${supply.agentsEligible} agents`;
  return { reason: 'AwaitingAgent', message: `On its way to ${agents} in ${region}.` };
}
