/**
 * The inventory: a listing goes to the facade, its judgement is carried out. A listing that failed is no
 * listing: then nothing is said, done or counted. Every machine is looked up again under the contract's mutex
 * before it is touched, because its tags may have changed since.
 */
import { isDeepStrictEqual } from 'node:util';
import { countOrphans, type OrphanBook } from '../../crds/contract/orphans.ts';
import { uid } from '../../crds/fields.ts';
import type { ReconcileResponse } from '../../crds/wire/reconcile.ts';
import type { InstanceDetails } from '../../crds/wire/reports.ts';
import { assertNever } from '../../lib/assert.ts';
import { messageOf } from '../failure.ts';
import type { InstanceRef, ListedInstance } from '../provisioner/provisioner.ts';
import type { Store } from '../state/store.ts';
import type { Alarm } from './alarm.ts';
import { type Context, isOwn } from './context.ts';
import { decideReconcile, type ReconcileAction } from './decide-reconcile.ts';
import type { Health } from './health.ts';
import type { Jobs } from './jobs.ts';
import { refOf } from './own-machines.ts';

/** As many machines as one inventory may name. */
const LISTED_MAX = 4096;

export type ReconcileDeps = Readonly<{
  context: Context;
  jobs: Jobs;
  alarm: Alarm;
  /** Told how each listing ended. */
  health: Pick<Health, 'noteListing'>;
}>;

/** While an older etcd is being resolved, and this agent's listing may be what is waited for. */
const RESOLVING_MS = 5_000;

/** While the machines cannot be listed. */
const RELIST_MS = 15_000;

/** Two inventories that lie further apart say nothing about the time between them. */
const STEPS_COUNTED = 2;

/** At once and then at intervals, until the signal is aborted. Never throws. */
export async function keepReconciled(deps: ReconcileDeps, signal: AbortSignal): Promise<void> {
  const { limits, log } = deps.context;
  let answeredMs: number | undefined;
  let resolved = 0; // the generation in which orders were heard last
  while (!signal.aborted) {
    let isListed = false;
    const onListed = (): void => {
      isListed = true;
      deps.health.noteListing(undefined);
    };
    try {
      const { generation } = deps.context.store.world();
      const isResolved = generation === resolved;
      const turn = { answeredMs, signal, generation, isResolved, onListed };
      const answered = await reconcileOnce(deps, turn);
      answeredMs = answered.atMs;
      if (!answered.isSuspended) resolved = generation;
    } catch (error) {
      if (signal.aborted) return;
      if (!isListed) deps.health.noteListing(error);
      log.warn({ err: messageOf(error) }, 'no inventory this time');
    }
    const isWaiting = deps.context.store.world().generation !== resolved;
    const soonest = isWaiting ? RESOLVING_MS : isListed ? limits.reconcileMs : RELIST_MS;
    await deps.alarm.sleep(Math.min(soonest, limits.reconcileMs), signal);
  }
}

type Turn = Readonly<{
  /** When the inventory before this one was answered, on the monotonic clock; undefined: none in this process. */
  answeredMs: number | undefined;
  /** Read, and everything older dropped, before the listing begins. */
  generation: number;
  /** False: the cluster may not know what this agent has, so each machine is told as it was reported. */
  isResolved: boolean;
  onListed: () => void;
  signal: AbortSignal;
}>;

type Answered = Readonly<{ atMs: number; isSuspended: boolean }>;

/** Answers when it was answered. Throws when the machines could not be listed or nobody judged them. */
async function reconcileOnce(
  { context, jobs }: Pick<ReconcileDeps, 'context' | 'jobs'>,
  turn: Turn,
): Promise<Answered> {
  const { store, clock, limits, log } = context;
  const { signal, generation, isResolved } = turn;
  const beganMs = clock.monotonicMs();
  const listed = await context.provisioner.list({ signal });
  turn.onListed();
  jobs.noteListing(listed, beganMs);
  if (listed.length > LISTED_MAX)
    log.error({ listed: listed.length, max: LISTED_MAX }, 'more machines than one inventory can name');
  const runningInstances = listed.slice(0, LISTED_MAX).map((machine) => ({
    ...asReported(machine),
    ...proofOf(store, machine),
    ...(isResolved ? {} : detailsOf(store, machine)),
  }));
  const { stopped, waiting } = countOrphans(store.orphans());
  const answer = await context.facade.reconcile(
    { runningInstances, orphans: { stopped, waiting }, ...(generation > 0 && { generation }) },
    { signal },
  );
  const answeredMs = clock.monotonicMs();
  const { actions, orphans } = decideReconcile({
    listed,
    answer,
    orphans: store.orphans(),
    isOwn: (machine) => isOwn(machine, context.identity),
    isStoppedByOrder: (contractId) => store.get(contractId).isStoppedByOrder,
    elapsedMs: Math.min(answeredMs - (turn.answeredMs ?? answeredMs), STEPS_COUNTED * limits.reconcileMs),
    now: clock.now(),
    limits: limits.orphans,
  });
  // Since when it is in quarantine, and whose turn it is, is on disk before anything is touched.
  if (!isDeepStrictEqual(orphans, store.orphans())) store.setOrphans(orphans);
  sayOrphans(context, { answer, orphans });
  for (const action of actions) {
    if (signal.aborted) break;
    await carryOut({ context, jobs, signal }, action).catch((error: unknown) => {
      if (!signal.aborted)
        log.warn({ action: action.type, err: messageOf(error) }, 'not done, next time again');
    });
  }
  return { atMs: answeredMs, isSuspended: answer.deletionsSuspended ?? false };
}

/** As it was reported once. */
function detailsOf(store: Store, { contractId, epoch }: ListedInstance): { details?: InstanceDetails } {
  const { reported } = store.get(contractId);
  return reported?.epoch === epoch ? { details: reported.details } : {};
}

/** That its epoch was granted: a cluster that does not remember it believes no bare word. */
function proofOf(store: Store, { contractId, epoch }: ListedInstance): { proof?: string } {
  const { proven } = store.get(contractId);
  return proven?.epoch === epoch ? { proof: proven.proof } : {};
}

type Said = Readonly<{ answer: ReconcileResponse; orphans: OrphanBook }>;

function sayOrphans({ log, limits }: Context, { answer, orphans }: Said): void {
  if (answer.deletionsSuspended) log.warn({}, 'deletions are suspended: nothing is stopped or destroyed');
  for (const { externalId, message } of answer.unknown) {
    const note = orphans.notes[externalId];
    if (note)
      log.warn({ externalId, message, stage: note.stage, since: note.since }, 'machine of no contract');
  }
  const { waiting } = countOrphans(orphans);
  if (waiting > 0)
    log.warn(
      { waiting, perHour: limits.orphans.destroyedPerHourMax },
      'machines of no contract wait to be destroyed: only so many an hour',
    );
}

type CarryingOut = Pick<ReconcileDeps, 'context' | 'jobs'> & Readonly<{ signal: AbortSignal }>;

async function carryOut({ context, jobs, signal }: CarryingOut, action: ReconcileAction): Promise<void> {
  const { provisioner, identity, log } = context;
  switch (action.type) {
    case 'Order':
      return jobs.order(action.contractId, action.epoch);
    case 'Adopt':
      return unchanged({ context, signal }, action.machine, async (ref) => {
        const tags = { epoch: action.epoch, agentUid: identity.agentUid };
        await provisioner.adopt(ref, tags, { signal });
        log.info({ externalId: ref.externalId, from: ref.agentUid }, "a revoked agent's machine adopted");
      });
    case 'Start':
      return unchanged({ context, signal }, action.machine, async (ref) => {
        await provisioner.start(ref, { signal });
        log.info({ externalId: ref.externalId }, 'machine started again');
      });
    case 'Stop':
      return unchanged({ context, signal }, action.machine, async (ref) => {
        await provisioner.stop(ref, { signal });
        log.warn({ externalId: ref.externalId }, 'machine stopped');
      });
    case 'DestroyOrphan':
      return unchanged({ context, signal }, action.machine, async (ref) => {
        await provisioner.destroy(ref, { signal });
        log.warn({ externalId: ref.externalId }, 'machine destroyed after its quarantine');
      });
    default:
      return assertNever(action);
  }
}

/** Under the contract's mutex, and only if a fresh listing shows the machine as the facade judged it. */
function unchanged(
  { context, signal }: Pick<CarryingOut, 'context' | 'signal'>,
  judged: ListedInstance,
  touch: (ref: InstanceRef) => Promise<void>,
): Promise<void> {
  return context.mutex.run(judged.contractId, async () => {
    const now = await context.provisioner.list({ signal });
    if (now.some((machine) => isDeepStrictEqual(machine, judged))) await touch(refOf(judged, context));
  });
}

/** A tag that names no agent is as good as none: the whole listing would be refused for it. */
const asReported = ({ agentUid, size: _own, ...machine }: ListedInstance) => ({
  ...machine,
  ...(uid().safeParse(agentUid).success ? { agentUid } : {}),
  createdAt: new Date(machine.createdAt).toISOString(),
});
