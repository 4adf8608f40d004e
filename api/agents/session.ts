/**
 * Which process of an agent counts: asks the rule about the agent's Lease and keeps its answer there by
 * compare-and-swap. A refusal is only given after a live read, because the cache may not have heard of a restart.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Agent } from '../../crds/agent.ts';
import {
  absenceCertainInMs,
  judgeSession,
  judgeSessionless,
  type SessionRecord,
  type SessionRequest,
  sessionAnnotations,
  sessionRecordOf,
} from '../../crds/agent-session.ts';
import { ONLINE_WITHIN_MS } from '../../crds/contract/numbers.ts';
import { API_VERSION, LABEL } from '../../crds/group.ts';
import { Problem } from '../../crds/problem.ts';
import { isAlreadyExists, isConflict } from '../../kube/error.ts';
import { microTime } from '../../kube/object.ts';
import type { Lease } from '../clients.ts';
import type { Deps } from '../deps.ts';
import { busy } from '../http/refusals.ts';

const WRITES_MAX = 5;
/** A Lease is written at most this often while nothing but the time changes. */
const WRITE_EVERY_MS = 10_000;

/** `Heartbeat` keeps the Lease young; `Claim` and reports only write it when the session changes. */
export type SessionUse = 'Heartbeat' | 'Call';

type Admission = Readonly<{ agent: Agent; request: SessionRequest | undefined; use: SessionUse }>;

/** Throws Problem DuplicateAgent or SessionSuperseded. Answers undefined for an agent without sessions. */
export async function admitSession(deps: Deps, admission: Admission): Promise<SessionRecord | undefined> {
  const { agent, request, use } = admission;
  const ref = { namespace: agent.metadata.namespace ?? '', name: agent.metadata.name };
  let lease = deps.caches.leases.get(ref);
  let isLive = false;
  for (let tries = 0; tries < WRITES_MAX; tries++) {
    const now = deps.clock.now();
    const record = lease && recordOf(lease, agent);
    const verdict = request ? judgeSession({ record, request, now }) : judgeSessionless(record, now);
    const isRefused = verdict?.outcome === 'Refused';
    if (!isRefused && !mustWrite({ lease, changed: verdict?.changed ?? false, use, now }))
      return verdict?.record;
    if (!isRefused || isLive) {
      const next = verdict ? verdict.record : undefined;
      const isNoted = isRefused && (!next || isDeepStrictEqual(next, record));
      const written = isNoted || (await writeLease(deps, { agent, lease, record: next, now, isRefused }));
      if (isRefused && (written || verdict.isNote))
        throw new Problem(verdict.code, verdict.message, { next: verdict.next });
      if (written) return next;
    }
    lease = await deps.clients.leases.get(ref);
    isLive = true;
  }
  throw busy();
}

type Call = Readonly<{
  agent: Agent;
  session?: string | undefined;
  incarnation?: number | undefined;
}>;

/**
 * For locks, reports and inventories. An agent that never introduced a session speaks the reference protocol: it
 * is judged by its key alone. Throws Problem DuplicateAgent or SessionSuperseded.
 */
export async function admitCall(deps: Deps, { agent, session, incarnation }: Call): Promise<void> {
  const request = session === undefined ? undefined : { session, incarnation };
  await admitSession(deps, { agent, request, use: 'Call' });
}

/**
 * A machine's absence may be confirmed once the process before this one is certainly silent: it might still be
 * creating. Throws Problem AbsenceNotYetCertain.
 */
export async function requireCertainAbsence(deps: Deps, agent: Agent): Promise<void> {
  const record = await liveRecord(deps, agent);
  const leftMs = record ? absenceCertainInMs(record, deps.clock.now()) : 0;
  if (leftMs === 0) return;
  throw new Problem(
    'AbsenceNotYetCertain',
    'The process of this agent before this one was heard a moment ago.',
    {
      next: `Confirm again once it has been silent for ${ONLINE_WITHIN_MS / 1000} s.`,
      // What is left, not all of it: until then the contract cannot end.
      retryAfterSeconds: Math.ceil(leftMs / 1000),
    },
  );
}

async function liveRecord(deps: Deps, agent: Agent): Promise<SessionRecord | undefined> {
  const { namespace = '', name } = agent.metadata;
  const lease = await deps.clients.leases.get({ namespace, name });
  return lease && recordOf(lease, agent);
}

/** Undefined for the Lease that a deleted agent of the same name left behind. */
const recordOf = ({ metadata, spec }: Lease, agent: Agent): SessionRecord | undefined =>
  metadata.labels?.[LABEL.agent] === agent.metadata.uid
    ? sessionRecordOf(metadata.annotations, spec.renewTime && new Date(spec.renewTime).toISOString())
    : undefined;

type Due = Readonly<{ lease: Lease | undefined; changed: boolean; use: SessionUse; now: Date }>;

function mustWrite({ lease, changed, use, now }: Due): boolean {
  if (changed) return true;
  if (use === 'Call') return false;
  const renewedAt = lease?.spec.renewTime;
  return renewedAt === undefined || now.getTime() - Date.parse(renewedAt) >= WRITE_EVERY_MS;
}

type LeaseWrite = Readonly<{
  agent: Agent;
  lease: Lease | undefined;
  record: SessionRecord | undefined;
  now: Date;
  /** A refused process does not keep the Lease young: only its being heard is noted. */
  isRefused: boolean;
}>;

/** False when somebody wrote in between. */
async function writeLease(
  deps: Deps,
  { agent, lease, record, now, isRefused }: LeaseWrite,
): Promise<boolean> {
  const { metadata } = agent;
  const labels = { [LABEL.agent]: metadata.uid ?? '' };
  const annotations = record ? sessionAnnotations(record) : {};
  const renewTime = isRefused && lease?.spec.renewTime ? lease.spec.renewTime : microTime(now);
  const spec = {
    holderIdentity: record?.session ?? metadata.name,
    leaseDurationSeconds: ONLINE_WITHIN_MS / 1000,
    renewTime,
  };
  const owner = { apiVersion: API_VERSION, kind: 'Agent', name: metadata.name, uid: metadata.uid ?? '' };
  const ownerReferences = [owner];
  try {
    if (lease) {
      await deps.clients.leases.update({
        ...lease,
        metadata: { ...lease.metadata, labels, annotations, ownerReferences },
        spec,
      });
    } else {
      const named = { namespace: metadata.namespace, name: metadata.name, ownerReferences };
      await deps.clients.leases.create({ kind: 'Lease', metadata: { ...named, labels, annotations }, spec });
    }
    return true;
  } catch (error) {
    if (isConflict(error) || isAlreadyExists(error)) return false;
    throw error;
  }
}
