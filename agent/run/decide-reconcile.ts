/**
 * What to do with each machine after the facade judged a listing. Pure. What belongs to nobody goes the slow way
 * of `crds/contract/orphans.ts`; what is kept runs, unless somebody ordered it to be stopped. While deletions are
 * suspended nothing is stopped or ordered to go. Source: docs/contract.md, "The lock", 10 and 12.
 */
import { decideOrphans, type OrphanBook, type OrphanLimits } from '../../crds/contract/orphans.ts';
import type { ReconcileResponse } from '../../crds/wire/reconcile.ts';
import type { ListedInstance } from '../provisioner/provisioner.ts';

export type ReconcileFacts = Readonly<{
  listed: readonly ListedInstance[];
  answer: ReconcileResponse;
  orphans: OrphanBook;
  /** Only an agent's own machines are touched; another's only to be adopted. */
  isOwn: (machine: ListedInstance) => boolean;
  /** A person or a tenant wants this contract's machine stopped. */
  isStoppedByOrder: (contractId: string) => boolean;
  /** Monotonic time since the last inventory of this process that was answered; 0 at its first. */
  elapsedMs: number;
  now: Date;
  limits: OrphanLimits;
}>;

export type ReconcileAction =
  | Readonly<{ type: 'Start' | 'Stop' | 'DestroyOrphan'; machine: ListedInstance }>
  | Readonly<{ type: 'Adopt'; machine: ListedInstance; epoch: number }>
  | Readonly<{ type: 'Order'; contractId: string; epoch: number }>;

export type ReconcileDecision = Readonly<{ actions: readonly ReconcileAction[]; orphans: OrphanBook }>;

export function decideReconcile(facts: ReconcileFacts): ReconcileDecision {
  const { answer } = facts;
  const started = answer.keep
    .filter(({ contractId }) => !facts.isStoppedByOrder(contractId))
    .flatMap((entry) => own(entry, facts))
    .filter(({ state }) => state === 'Stopped')
    .map((machine) => ({ type: 'Start', machine }) as const);
  if (answer.deletionsSuspended) return { orphans: facts.orphans, actions: started };
  const { book, stop, destroy } = decideOrphans({
    book: facts.orphans,
    orphans: answer.unknown.flatMap((entry) =>
      own(entry, facts).map(({ externalId, createdAt }) => ({
        externalId,
        createdAt,
        isContractKnown: entry.isContractKnown ?? false,
      })),
    ),
    undecided: new Set(answer.undecided),
    elapsedMs: facts.elapsedMs,
    now: facts.now,
    limits: facts.limits,
  });
  const named = (names: readonly string[]): ListedInstance[] =>
    names.flatMap((externalId) => own({ externalId }, facts));
  return {
    orphans: book,
    actions: [
      ...[...answer.terminate, ...answer.confirm].map(
        ({ contractId, epoch }) => ({ type: 'Order', contractId, epoch }) as const,
      ),
      ...answer.adopt.flatMap((entry) =>
        listedAs(entry, facts).map((machine) => ({ type: 'Adopt', machine, epoch: entry.epoch }) as const),
      ),
      ...[...answer.pause.flatMap((entry) => own(entry, facts)), ...named(stop)]
        .filter(({ state }) => state !== 'Stopped')
        .map((machine) => ({ type: 'Stop', machine }) as const),
      ...named(destroy).map((machine) => ({ type: 'DestroyOrphan', machine }) as const),
      ...started,
    ],
  };
}

type Named = Readonly<{ externalId: string }>;

const listedAs = ({ externalId }: Named, { listed }: ReconcileFacts): ListedInstance[] =>
  listed.filter((machine) => machine.externalId === externalId);

const own = (entry: Named, facts: ReconcileFacts): ListedInstance[] =>
  listedAs(entry, facts).filter(facts.isOwn);
