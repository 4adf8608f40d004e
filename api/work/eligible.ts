/** Whether an agent may claim, with all that the rule asks for taken from the caches. */
import type { LiveContract } from '../../crds/contract/contract.ts';
import {
  type Candidate,
  demandKeys,
  type Eligibility,
  eligibility,
} from '../../crds/contract/eligibility.ts';
import { isLeaseFresh } from '../agents/online.ts';
import type { Deps } from '../deps.ts';
import type { Worker } from './list.ts';

type Asked = Readonly<{ worker: Worker; contract: LiveContract; now: Date }>;

export const eligibleFor = (deps: Deps, { worker, contract, now }: Asked): Eligibility =>
  eligibility(contract, {
    agent: worker.agent,
    pool: worker.pool,
    leaseFresh: (uid) => isLeaseFresh(deps, uid),
    candidates: () => candidatesFor(deps, contract),
    now,
  });

/** Lazy: asked only of a contract that failed before, and mostly the first one found will do. */
function* candidatesFor({ caches }: Deps, contract: LiveContract): Generator<Candidate> {
  for (const key of demandKeys(contract))
    for (const pool of caches.pools.supplying(key)) {
      const { namespace = '', name } = pool.metadata;
      for (const agent of caches.agents.inPool({ namespace, name })) yield { agent, pool };
    }
}
