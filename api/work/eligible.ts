/** Whether an agent may claim, with all that the rule asks for taken from the caches. */
import type { LiveContract } from '../../crds/contract/contract.ts';
import { type Eligibility, eligibility } from '../../crds/contract/eligibility.ts';
import { refusalOfConfig } from '../../crds/instance-config/check.ts';
import type { Deps } from '../deps.ts';
import { type Companions, siblingsOf } from '../placement/placements.ts';
import type { Worker } from './list.ts';

type Needs = Pick<Deps, 'supply' | 'placements' | 'headStartMs'> & Companions;
type Asked = Readonly<{ worker: Worker; contract: LiveContract; now: Date }>;

export const eligibleFor = (
  { supply, placements, caches, headStartMs }: Needs,
  { worker: { agent }, contract, now }: Asked,
): Eligibility => {
  const { instanceConfig, termsSnapshot } = contract.spec;
  const refused = refusalOfConfig(instanceConfig, termsSnapshot?.instanceConfigSchema);
  if (refused) return { eligible: false, reason: 'NotWaiting', message: refused.message };
  return eligibility(contract, {
    agentUID: agent.metadata.uid ?? '',
    supply: supply.of(agent.metadata.namespace ?? '').supply,
    siblings: siblingsOf(caches, contract),
    placed: () => placements.of(contract),
    headStartMs,
    now,
  });
};
