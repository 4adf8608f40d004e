/**
 * What to do with each machine after the facade judged a listing. Pure. What is unknown is stopped at once and
 * destroyed only when it is still unknown after the quarantine, and never while its contract lives; what is kept runs, unless somebody ordered it
 * to be stopped. Source: contract.md, "The lock", 10.
 */
import type { ReconcileResponse } from '../../crds/wire/work.ts';
import type { ListedInstance } from '../provisioner/provisioner.ts';
import type { Quarantine } from '../state/store.ts';

export type ReconcileFacts = Readonly<{
  listed: readonly ListedInstance[];
  answer: ReconcileResponse;
  quarantine: Quarantine;
  /** Only an agent's own machines are touched; another's only to be adopted. */
  isOwn: (machine: ListedInstance) => boolean;
  /** A person or a tenant wants this contract's machine stopped. */
  isStoppedByOrder: (contractId: string) => boolean;
  now: Date;
  quarantineMs: number;
}>;

export type ReconcileAction =
  | Readonly<{ type: 'Start' | 'Stop' | 'DestroyUnknown'; machine: ListedInstance }>
  | Readonly<{ type: 'Adopt'; machine: ListedInstance; epoch: number }>
  | Readonly<{ type: 'Order'; contractId: string; epoch: number }>;

export type ReconcileDecision = Readonly<{ actions: readonly ReconcileAction[]; quarantine: Quarantine }>;

export function decideReconcile(facts: ReconcileFacts): ReconcileDecision {
  const { listed, answer, now } = facts;
  const machineOf = ({ externalId }: Readonly<{ externalId: string }>): ListedInstance[] =>
    listed.filter((machine) => machine.externalId === externalId);
  const ownOf = (entry: Readonly<{ externalId: string }>): ListedInstance[] =>
    machineOf(entry).filter(facts.isOwn);
  const unknown = answer.unknown.flatMap(ownOf);
  const quarantine = Object.fromEntries(
    unknown.map(({ externalId }) => [
      externalId,
      facts.quarantine[externalId] ?? { since: now.toISOString() },
    ]),
  );
  const isDue = ({ externalId }: ListedInstance): boolean =>
    now.getTime() - Date.parse(quarantine[externalId]?.since ?? now.toISOString()) >= facts.quarantineMs;
  const started = answer.keep
    .filter(({ contractId }) => !facts.isStoppedByOrder(contractId))
    .flatMap(ownOf)
    .filter(({ state }) => state === 'Stopped');
  const stopped = [...answer.pause.flatMap(ownOf), ...unknown];
  const orders = [...answer.terminate, ...answer.confirm];
  return {
    quarantine,
    actions: [
      ...orders.map(({ contractId, epoch }) => ({ type: 'Order', contractId, epoch }) as const),
      ...answer.adopt.flatMap((entry) =>
        machineOf(entry).map((machine) => ({ type: 'Adopt', machine, epoch: entry.epoch }) as const),
      ),
      ...stopped
        .filter(({ state }) => state !== 'Stopped')
        .map((machine) => ({ type: 'Stop', machine }) as const),
      ...answer.unknown
        .filter(({ isContractKnown }) => isContractKnown !== true)
        .flatMap(ownOf)
        .filter(isDue)
        .map((machine) => ({ type: 'DestroyUnknown', machine }) as const),
      ...started.map((machine) => ({ type: 'Start', machine }) as const),
    ],
  };
}
