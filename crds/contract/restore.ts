/**
 * What becomes of one contract of a restored etcd, once the agents have said what they really have. Answers the
 * statuses to write, in order, each a legal move from the one before; none when it is right as it is. Deciding
 * again after a crash in between goes on where it was. Source: docs/contract.md, 12; docs/adr/0006.
 *
 *   PostgreSQL says ended ─────────────► Terminating, every lister a holder
 *   a machine is the tenant's ─────────► Provisioned with that machine and its epoch, the other listers holders
 *   none is, and it waits or is built ─► Accepted above every earlier epoch, the listers holders
 *   none is, and it runs ──────────────► as it is: a listing alone proves no loss
 */
import { isDeepStrictEqual } from 'node:util';
import type { LiveContract } from './contract.ts';
import { withPauseCredited } from './credit.ts';
import { floorOf } from './generation.ts';
import { endOfAttempt, isHolder, move, sameGrant, withAttempt } from './move.ts';
import { type ContractPhase, hasEnded } from './phase.ts';
import { accessOf } from './report.ts';
import {
  type ChosenMachine,
  chooseMachine,
  isCredible,
  isSameMachine,
  type RestoredFacts,
} from './restore-facts.ts';
import { type Access, type ContractStatus, HOLDERS_MAX, type Holder } from './status.ts';
import { accept, end } from './steps.ts';

const BY = 'restore';
const RUNS: readonly ContractPhase[] = ['Provisioned', 'Active', 'Paused'];

export function resolveRestored({ status }: LiveContract, said: RestoredFacts): readonly ContractStatus[] {
  const facts = { ...said, listed: said.listed.filter((it) => isCredible(it, { status, ...said })) };
  // What ended here had ended in every later world too, but for what a provider retried.
  if (hasEnded(status.phase) && status.phase !== 'Failed') return [];
  if (status.phase === 'Terminating') return changed(status, [withListers(status, facts)]);
  const chosen = chooseMachine(status, facts);
  const first = withListers(status, { ...facts, chosen });
  if (isOver(status, { chosen, ended: facts.ended }))
    return status.phase === 'Failed' ? [] : endAgain(first, facts);
  if (chosen) return changed(status, goOnWith(first, { chosen, facts }));
  if (status.phase === 'Failed') return [];
  return changed(status, goOnWithout(first, facts));
}

type Over = Readonly<{ chosen: ChosenMachine | undefined; ended: RestoredFacts['ended'] }>;

/** An end is not the last word when a later epoch is known: it failed, and was retried. */
function isOver(status: ContractStatus, { chosen, ended }: Over): boolean {
  if (!ended || status.epoch > ended.epoch) return false;
  return chosen === undefined || chosen.epoch <= ended.epoch;
}

function endAgain(status: ContractStatus, { ended, now }: RestoredFacts): readonly ContractStatus[] {
  const reason = ended?.reason ?? 'Ended';
  const said = { reason, message: 'It had ended before the cluster was restored from a backup', now };
  const isFree = (status.holders ?? []).length === 0;
  if (status.phase === 'Requested' && isFree && ended?.phase !== undefined && ended.phase !== 'Failed')
    return [end(status, { to: ended.phase, ...said })];
  const steps = status.phase === 'Requested' ? [accept(status, said)] : [];
  const from = steps.at(-1) ?? withPauseCredited(withoutLock(status, now), now);
  return [...steps, move(from, { to: 'Terminating', by: BY, ...said })];
}

type Going = Readonly<{ chosen: ChosenMachine; facts: RestoredFacts }>;

function goOnWith(first: ContractStatus, { chosen, facts }: Going): readonly ContractStatus[] {
  const status = withHolder(first, chosen);
  // No room for its agent: nothing is granted either while it is full, and nobody else is forgotten for it.
  if (!isHolder(status, chosen)) return [first];
  if (RUNS.includes(status.phase) && isSameMachine(chosen, status.instance)) return [status];
  const { now } = facts;
  const said = { by: BY, reason: 'Restored', message: 'The cluster was restored from a backup', now };
  const before = towardsAccepted(status, said);
  const from = before.at(-1) ?? withoutLock(status, now);
  const access = accessAfter(status, chosen);
  const { agentUID, epoch, externalId } = chosen;
  const pool = facts.agentOf(agentUID)?.poolName;
  const startsAt = status.startsAt ?? chosen.activeAt;
  const found: ContractStatus = {
    ...move(from, { to: 'Provisioned', ...said, message: 'Its machine was found after a restore' }),
    epoch,
    instance: { agentUID, epoch, externalId },
    agent: chosen.agent,
    provisionedAt: now.toISOString(),
    ...(pool === undefined ? {} : { pool }),
    ...access,
    ...(startsAt === undefined ? {} : { startsAt }),
  };
  return [...before, found];
}

type Said = Readonly<{ by: string; reason: string; message: string; now: Date }>;

/** The moves from which Provisioned can be reached; none when it can be already. The epoch stays. */
function towardsAccepted(status: ContractStatus, said: Said): readonly ContractStatus[] {
  const step = (from: ContractStatus, to: ContractPhase) => move(from, { to, ...said });
  switch (status.phase) {
    case 'Accepted':
    case 'Provisioning':
      return [];
    case 'Paused': {
      const { pausedAt, graceEndsAt, ...rest } = withPauseCredited(status, said.now);
      const active = step(rest, 'Active');
      return [active, step(withoutMachine(active), 'Accepted')];
    }
    default:
      return [step(withoutMachine(status), 'Accepted')];
  }
}

function goOnWithout(status: ContractStatus, facts: RestoredFacts): readonly ContractStatus[] {
  const { generation, now, listed } = facts;
  const said = { reason: 'Restored', message: 'Waiting for an agent again, after a restore', now };
  const isBuilt = listed.some(({ epoch }) => epoch >= status.epoch);
  const raised = (next: ContractStatus): ContractStatus => ({
    ...next,
    epoch: Math.max(status.epoch + 1, floorOf(generation)),
  });
  switch (status.phase) {
    case 'Requested':
      return listed.length > 0 ? [raised(accept(status, said))] : [];
    case 'Accepted':
      return isBuilt ? [raised(status)] : [status];
    case 'Provisioning':
      return [raised(move(withoutLock(status, now), { to: 'Accepted', by: BY, epoch: 'Raise', ...said }))];
    default:
      return [status];
  }
}

/** The lock ends, and counts as no failure of its agent. */
function withoutLock(status: ContractStatus, now: Date): ContractStatus {
  if (!status.lock) return status;
  const message = 'the cluster was restored from a backup';
  return withAttempt(status, endOfAttempt(status.lock, { outcome: 'Released', message, now }));
}

function withoutMachine(status: ContractStatus): ContractStatus {
  const { instance, access, endpoint, ...rest } = status;
  return rest;
}

type Listers = Pick<RestoredFacts, 'listed'> & Readonly<{ chosen?: ChosenMachine | undefined }>;

/** Who listed a machine may have one: nobody else knows of it. There is room left for whose machine it will be. */
function withListers(status: ContractStatus, { listed, chosen }: Listers): ContractStatus {
  const room = HOLDERS_MAX - (chosen && !isHolder(status, chosen) ? 1 : 0);
  const hasRoom = ({ holders = [] }: ContractStatus): boolean => holders.length < room;
  return listed.reduce(
    (next, machine) =>
      hasRoom(next) || (chosen && sameGrant(machine, chosen)) ? withHolder(next, machine) : next,
    status,
  );
}

function withHolder(status: ContractStatus, { agent, agentUID, epoch }: Holder): ContractStatus {
  const holders = status.holders ?? [];
  // Whom etcd knows nobody pushes out.
  if (isHolder(status, { agentUID, epoch }) || holders.length >= HOLDERS_MAX) return status;
  return { ...status, holders: [...holders, { agent, agentUID, epoch }] };
}

type Reached = Readonly<{ access?: Access; endpoint?: string }>;

function accessAfter(status: ContractStatus, chosen: ChosenMachine): Reached {
  const known = knownAccess(status, chosen);
  // Seen reachable once: nobody will look again, and its tenant must not lose it for that.
  const verifiedAt = known.access?.verifiedAt ?? chosen.activeAt;
  return verifiedAt === undefined ? known : { ...known, access: { ...known.access, verifiedAt } };
}

/** From its agent, else from PostgreSQL, else what etcd still has of this very machine. */
function knownAccess({ instance, access, endpoint }: ContractStatus, chosen: ChosenMachine): Reached {
  if (chosen.details) return accessOf(chosen.details);
  if (chosen.access) return endpointOf(chosen.access);
  if (access === undefined || !isSameMachine(chosen, instance)) return {};
  return endpoint === undefined ? { access } : { access, endpoint };
}

function endpointOf(access: Access): Reached {
  const { host, port } = access;
  if (host === undefined || port === undefined) return { access };
  return { access, endpoint: `${host.includes(':') ? `[${host}]` : host}:${port}` };
}

const changed = (status: ContractStatus, steps: readonly ContractStatus[]): readonly ContractStatus[] =>
  steps.length === 1 && isDeepStrictEqual(steps[0], status) ? [] : steps;
