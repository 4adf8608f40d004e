/**
 * Carries a decision out: prepare the object, effects that must come first, the status by compare-and-swap,
 * effects that may come after. A stale decision ends in a 409 before it has touched anything that matters;
 * the runtime then decides again.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Contract, LiveContract } from '../../crds/contract/contract.ts';
import { requireMove } from '../../crds/contract/phase.ts';
import type { ContractStatus } from '../../crds/contract/status.ts';
import { ANNOTATION, FINALIZER, LABEL, labelOfKey } from '../../crds/group.ts';
import type { Informer } from '../../kube/informer.ts';
import { assertNever } from '../../lib/assert.ts';
import type { Clients } from '../clients.ts';
import { recordDebt } from './debt.ts';
import type { Action, Decision, Preparation } from './facts.ts';
import type { ContractLedger } from './ledger.ts';
import { releaseUnit, reserveUnit } from './stock.ts';
import type { TellStuck } from './stuck.ts';

export type ApplyDeps = Readonly<{
  clients: Clients;
  contracts: Informer<Contract>;
  /** Where history goes; fails with StoreUnavailable while PostgreSQL is down. */
  ledger: ContractLedger;
  tellStuck: TellStuck;
}>;

type Step = Readonly<{ contract: Contract; decision: Decision; signal: AbortSignal }>;

const CACHE_DEADLINE_MS = 5_000;

export async function apply(deps: ApplyDeps, { contract, decision, signal }: Step): Promise<void> {
  let current = contract;
  if (decision.prepare) current = await prepare(deps, { contract, preparation: decision.prepare, signal });
  for (const action of decision.before) await perform(deps, { contract: current, action, signal });
  const status = statusToWrite(decision, current);
  if (status)
    current = {
      ...(await deps.clients.contracts.updateStatus({ ...current, status }, { signal })),
      status,
    };
  for (const action of decision.after) await perform(deps, { contract: current, action, signal });
  const { resourceVersion } = current.metadata;
  if (resourceVersion && resourceVersion !== contract.metadata.resourceVersion && !isGoing(decision))
    await deps.contracts.waitFor({ resourceVersion }, { signal, deadlineMs: CACHE_DEADLINE_MS });
}

/** Undefined when the decision changes nothing. Compared with, and written on, the version that was decided on. */
export function statusToWrite({ status }: Decision, current: Contract): ContractStatus | undefined {
  if (!status || isDeepStrictEqual(status, current.status)) return undefined;
  requireMove('operator', { from: current.status?.phase, to: status.phase });
  const { generation } = current.metadata;
  return generation === undefined ? status : { ...status, observedGeneration: generation };
}

/** Removing the last finalizer answers the version before: there is nothing to wait for. */
const isGoing = ({ after }: Decision): boolean =>
  after.some(({ type }) => type === 'RemoveFinalizer' || type === 'Delete');

/**
 * One PUT of the main resource: finalizer, label, terms. It also strips managedFields of what was rented through the API, for good: nobody
 * applies that server-side, and every status write is 1.5 times as fast without them (docs/kubernetes.md). What
 * somebody applied keeps them: without, their next change would be a conflict with "before-first-apply".
 */
function prepare(
  { clients }: ApplyDeps,
  {
    contract,
    preparation,
    signal,
  }: Readonly<{ contract: Contract; preparation: Preparation; signal: AbortSignal }>,
): Promise<Contract> {
  const finalizers = [...new Set([...(contract.metadata.finalizers ?? []), FINALIZER])];
  const isOfApi = contract.metadata.annotations?.[ANNOTATION.requestHash] !== undefined;
  // As the facade labels what it makes; a label that somebody applied stays theirs.
  const labels = { [LABEL.tenant]: labelOfKey(contract.spec.tenant.publicKey), ...contract.metadata.labels };
  const metadata = { ...contract.metadata, labels, finalizers, ...(isOfApi ? { managedFields: [{}] } : {}) };
  return clients.contracts.update(
    { ...contract, metadata, spec: { ...contract.spec, ...preparation } },
    { signal },
  );
}

type Effect = Readonly<{ contract: Contract; action: Action; signal: AbortSignal }>;

async function perform(deps: ApplyDeps, { contract, action, signal }: Effect): Promise<void> {
  const { clients, ledger } = deps;
  // Actions other than the stock's are only decided for contracts that have a status.
  const live = contract as LiveContract;
  switch (action.type) {
    case 'ReserveStock':
      return reserveUnit(clients.offerings, { contract, signal });
    case 'ReleaseStock':
      return releaseUnit(clients, { contract, signal });
    case 'RecordDebt':
      return recordDebt(clients.agents, { contract, holder: action.holder, how: action.how, signal });
    case 'RecordInstance':
      return ledger.recordInstance(live);
    case 'TellStuck':
      return deps.tellStuck(live, action);
    case 'Archive':
      return ledger.archive(live);
    case 'RemoveFinalizer': {
      const finalizers = (contract.metadata.finalizers ?? []).filter((name) => name !== FINALIZER);
      await clients.contracts.update(
        { ...contract, metadata: { ...contract.metadata, finalizers } },
        { signal },
      );
      return;
    }
    case 'Delete': {
      const { uid, resourceVersion } = contract.metadata;
      await clients.contracts.delete(contract.metadata, { uid, resourceVersion }, { signal });
      return;
    }
    default:
      return assertNever(action);
  }
}
