/** A contract as its provider sees it: what the tenant sees, and what happened on whose machine. */
import { type Contract, isLive } from '../../crds/contract/contract.ts';
import { isArchived } from '../../crds/contract/retry.ts';
import type { Attempt } from '../../crds/contract/status.ts';
import { Problem } from '../../crds/problem.ts';
import type { ContractDetail, DeskContractView } from '../../crds/wire/desk.ts';
import type { Found } from '../contracts/find.ts';
import { presentContract } from '../contracts/present.ts';
import type { Deps } from '../deps.ts';
import { placementViewOf, waitingViewOf } from '../placement/why.ts';

/** With the attempts that the object has. */
export const presentForDesk = (deps: Deps, { contract, archived }: Found): DeskContractView => ({
  ...presentContract(deps, contract, { archived }),
  detail: detailOf(contract, contract.status?.attempts ?? []),
});

/** With why it waits, and all attempts that are known; without a database those of the object. */
export async function presentInFull(deps: Deps, found: Found): Promise<DeskContractView> {
  const view = presentForDesk(deps, found);
  const attempts = merged(await kept(deps, found.contract), view.detail.attempts);
  const { contract, archived } = found;
  const placement = archived ? undefined : placementViewOf(deps, contract);
  const waiting = archived ? undefined : waitingViewOf(deps, contract);
  return {
    ...view,
    ...(waiting ? { waiting } : {}),
    detail: { ...view.detail, attempts, ...(placement ? { placement } : {}) },
  };
}

async function kept({ store }: Deps, { metadata }: Contract): Promise<readonly Attempt[]> {
  try {
    return await store.attempts.get(metadata.uid ?? '');
  } catch (error) {
    if (error instanceof Problem && error.code === 'StoreUnavailable') return [];
    throw error;
  }
}

/** The object is never behind the database about an attempt that it still has. */
function merged(kept: readonly Attempt[], own: readonly Attempt[]): Attempt[] {
  const keyOf = ({ agentUID, epoch }: Attempt): string => `${agentUID}/${epoch}`;
  const known = new Map([...kept, ...own].map((attempt) => [keyOf(attempt), attempt]));
  return [...known.values()].sort((a, b) => Date.parse(a.endedAt) - Date.parse(b.endedAt));
}

function detailOf(contract: Contract, attempts: readonly Attempt[]): ContractDetail {
  const { status, spec } = contract;
  return {
    message: status?.message ?? null,
    pool: status?.pool ?? null,
    agent: status?.agent ?? null,
    attempts: [...attempts],
    failures: status?.failures ?? 0,
    capacityReleases: status?.capacityReleases ?? 0,
    ...(status?.nextAttemptAt ? { nextAttemptAt: status.nextAttemptAt } : {}),
    ...(status?.provisionBy ? { provisionBy: status.provisionBy } : {}),
    holders: [...(status?.holders ?? [])],
    abandoned: [...(status?.abandoned ?? [])],
    retries: spec.retry ?? 0, // an archived one may be older than the field
    canRetry: isLive(contract) && contract.status.phase === 'Failed' && !isArchived(contract),
  };
}
