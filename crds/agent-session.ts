/**
 * One agent, one session. Each start of an agent raises `incarnation` on its disk and makes a random `session`;
 * the heartbeat Lease remembers the pair that counts. A higher incarnation supersedes, an equal one with
 * another session is a clone. Pure: the facade reads the Lease, asks, and writes by compare-and-swap.
 * Source: docs/contract.md, 2.
 */
import { ONLINE_WITHIN_MS } from './contract/numbers.ts';
import { GROUP } from './group.ts';
import type { ProblemCode } from './problem.ts';

/** What the Lease's annotations say. All times are RFC 3339 by the API server's clock, as facades know it. */
export type SessionRecord = Readonly<{
  session: string;
  incarnation: number;
  fingerprint: string;
  /** Last time this session was heard (the Lease's renewTime). */
  heardAt: string;
  /** The last heartbeat said that it leaves: nothing of this session runs any more. */
  left: boolean;
  /** The session before this one may still run until it has been silent for 45 s. */
  supersededIncarnation?: number | undefined;
  /** When it was superseded, or heard after that: up to then it may have been heard by anybody. */
  supersededHeardAt?: string | undefined;
  /** When another process with this key was last refused; noted at most every minute. */
  cloneHeardAt?: string | undefined;
  /** Since when two live processes are known to use the key. */
  duplicateSince?: string | undefined;
}>;

export type SessionRequest = Readonly<{
  session: string;
  /** Absent in the reports of older agents: they never introduce a session. */
  incarnation?: number | undefined;
  /** Absent in lock and reports: those never introduce a session from another machine. */
  fingerprint?: string | undefined;
  leaving?: boolean | undefined;
}>;

export type SessionVerdict =
  | Readonly<{ outcome: 'Accepted'; record: SessionRecord | undefined; changed: boolean }>
  | Readonly<{
      outcome: 'Refused';
      code: ProblemCode;
      message: string;
      next: string;
      record: SessionRecord | undefined;
      /** The record only tells people of a clone: who loses the race for the write need not try again. */
      isNote?: true;
    }>;

/** A message of the process before may still have been on its way this long after it was superseded. */
const IN_FLIGHT_MS = 10_000;
/** A clone that is refused again and again costs a write of the Lease this often. */
const CLONE_NOTED_EVERY_MS = 60_000;

type Facts = Readonly<{ record: SessionRecord | undefined; request: SessionRequest; now: Date }>;

/** Which process counts, and what the Lease should remember (`record`; undefined: leave it as it is). */
export function judgeSession(facts: Facts): SessionVerdict {
  const { record, request, now } = facts;
  const { session, incarnation, leaving } = request;
  if (incarnation === undefined) return judgeReporter(record, session);
  if (!record) return accepted(freshRecord({ ...request, incarnation }, now), true);
  if (session === record.session && incarnation === record.incarnation) {
    if (record.duplicateSince) return duplicate(record, undefined);
    // A call may have introduced it, which does not say from which machine.
    const fingerprint = record.fingerprint || (request.fingerprint ?? '');
    const heard = { ...record, fingerprint, heardAt: now.toISOString(), left: leaving ?? false };
    return accepted(heard, (leaving === true && !record.left) || fingerprint !== record.fingerprint);
  }
  if (incarnation < record.incarnation) return heardAgain({ ...facts, record });
  // The one that was first goes on; the newcomer is noted, to be shown on the Agent.
  if (incarnation === record.incarnation) return newcomer(record, now);
  return supersede({ ...facts, record, request: { ...request, incarnation } });
}

/**
 * A call without a session is the reference protocol's. From the key of an agent that has introduced a session it
 * is another process's, unless that one said goodbye: who leaves its session out must not gain by it.
 */
export function judgeSessionless(record: SessionRecord | undefined, now: Date): SessionVerdict | undefined {
  return record && !record.left ? newcomer(record, now) : undefined;
}

/** A report without incarnation: only of the session that counts. */
function judgeReporter(record: SessionRecord | undefined, session: string): SessionVerdict {
  if (record?.duplicateSince) return duplicate(record, undefined);
  if (!record || record.session === session) return { outcome: 'Accepted', record, changed: false };
  return superseded(record, undefined);
}

type Superseding = Facts &
  Readonly<{ record: SessionRecord; request: SessionRequest & Readonly<{ incarnation: number }> }>;

/** A higher incarnation. From another machine or boot it waits until the old one is certainly silent. */
function supersede({ record, request, now }: Superseding): SessionVerdict {
  const otherMachine =
    request.fingerprint !== undefined &&
    record.fingerprint !== '' &&
    request.fingerprint !== record.fingerprint;
  if (otherMachine && !record.left && !isSilent(record.heardAt, now)) return newcomer(record, now);
  const mayRun = !record.left;
  return accepted(
    {
      ...freshRecord(request, now),
      fingerprint: request.fingerprint ?? record.fingerprint,
      // Until now: its last heartbeat says nothing of the calls that it made since.
      ...(mayRun ? { supersededIncarnation: record.incarnation, supersededHeardAt: now.toISOString() } : {}),
    },
    true,
  );
}

/** A superseded process speaks. Shortly after the change it was on its way; later it lives, and both are one too many. */
function heardAgain({ record, now }: Facts & { record: SessionRecord }): SessionVerdict {
  const sinceMs = record.supersededHeardAt
    ? msSince(record.supersededHeardAt, now)
    : Number.POSITIVE_INFINITY;
  const noted = { ...record, supersededHeardAt: now.toISOString() };
  if (sinceMs > IN_FLIGHT_MS)
    return duplicate(record, { ...noted, duplicateSince: record.duplicateSince ?? now.toISOString() });
  return superseded(record, noted);
}

/** Whether this session may say of a machine that it is gone: the process before it must be silent. */
export const mayConfirmAbsence = (record: SessionRecord, now: Date): boolean =>
  absenceCertainInMs(record, now) === 0;

/** How long until then, if the process before stays silent. 0: it may now. */
export function absenceCertainInMs({ supersededHeardAt }: SessionRecord, now: Date): number {
  if (supersededHeardAt === undefined) return 0;
  return Math.max(0, ONLINE_WITHIN_MS - msSince(supersededHeardAt, now));
}

const isSilent = (heardAt: string, now: Date): boolean => msSince(heardAt, now) >= ONLINE_WITHIN_MS;

const msSince = (instant: string, now: Date): number => now.getTime() - Date.parse(instant);

const superseded = (record: SessionRecord, next: SessionRecord | undefined): SessionVerdict => ({
  outcome: 'Refused',
  code: 'SessionSuperseded',
  message: `incarnation ${record.incarnation} of this agent took over`,
  next: 'Stop this process; a newer one runs with the same key.',
  record: next,
});

function newcomer(record: SessionRecord, now: Date): SessionVerdict {
  const isNoted =
    record.cloneHeardAt !== undefined && Math.abs(msSince(record.cloneHeardAt, now)) < CLONE_NOTED_EVERY_MS;
  const next = isNoted ? undefined : { ...record, cloneHeardAt: now.toISOString() };
  return { ...duplicate(record, next, 'Newcomer'), isNote: true };
}

function duplicate(
  record: SessionRecord,
  next: SessionRecord | undefined,
  who: 'Both' | 'Newcomer' = 'Both',
): Extract<SessionVerdict, { outcome: 'Refused' }> {
  return {
    outcome: 'Refused',
    code: 'DuplicateAgent',
    message:
      who === 'Newcomer'
        ? `another process uses this agent's key (incarnation ${record.incarnation}, last heard ${record.heardAt})`
        : `two processes use this agent's key since ${record.duplicateSince ?? record.heardAt}`,
    next: 'A cloned machine? Stop one of them; give the clone a key of its own with a new setup token.',
    record: next,
  };
}

const freshRecord = (
  { session, incarnation, fingerprint, leaving }: Superseding['request'],
  now: Date,
): SessionRecord => ({
  session,
  incarnation,
  fingerprint: fingerprint ?? '',
  heardAt: now.toISOString(),
  left: leaving ?? false,
});

const accepted = (record: SessionRecord, changed: boolean): SessionVerdict => ({
  outcome: 'Accepted',
  record,
  changed,
});

/** The annotations of the Lease that hold the record. */
export const SESSION_ANNOTATIONS = {
  session: `${GROUP}/session`,
  incarnation: `${GROUP}/incarnation`,
  fingerprint: `${GROUP}/fingerprint`,
  left: `${GROUP}/left`,
  supersededIncarnation: `${GROUP}/superseded-incarnation`,
  supersededHeardAt: `${GROUP}/superseded-heard-at`,
  cloneHeardAt: `${GROUP}/clone-heard-at`,
  duplicateSince: `${GROUP}/duplicate-since`,
} as const;

export function sessionAnnotations(record: SessionRecord): Record<string, string> {
  return {
    [SESSION_ANNOTATIONS.session]: record.session,
    [SESSION_ANNOTATIONS.incarnation]: String(record.incarnation),
    [SESSION_ANNOTATIONS.fingerprint]: record.fingerprint,
    ...(record.left ? { [SESSION_ANNOTATIONS.left]: 'true' } : {}),
    ...(record.supersededIncarnation === undefined
      ? {}
      : { [SESSION_ANNOTATIONS.supersededIncarnation]: String(record.supersededIncarnation) }),
    ...(record.supersededHeardAt
      ? { [SESSION_ANNOTATIONS.supersededHeardAt]: record.supersededHeardAt }
      : {}),
    ...(record.cloneHeardAt ? { [SESSION_ANNOTATIONS.cloneHeardAt]: record.cloneHeardAt } : {}),
    ...(record.duplicateSince ? { [SESSION_ANNOTATIONS.duplicateSince]: record.duplicateSince } : {}),
  };
}

/** Reads the record back; undefined for a Lease of an agent without sessions. */
export function sessionRecordOf(
  annotations: Readonly<Record<string, string>> | undefined,
  renewTime: string | undefined,
): SessionRecord | undefined {
  const session = annotations?.[SESSION_ANNOTATIONS.session];
  const incarnation = Number(annotations?.[SESSION_ANNOTATIONS.incarnation]);
  if (!annotations || !session || !Number.isSafeInteger(incarnation)) return undefined;
  const superseded = annotations[SESSION_ANNOTATIONS.supersededIncarnation];
  return {
    session,
    incarnation,
    fingerprint: annotations[SESSION_ANNOTATIONS.fingerprint] ?? '',
    heardAt: renewTime ?? new Date(0).toISOString(),
    left: annotations[SESSION_ANNOTATIONS.left] === 'true',
    supersededIncarnation: superseded === undefined ? undefined : Number(superseded),
    supersededHeardAt: annotations[SESSION_ANNOTATIONS.supersededHeardAt],
    cloneHeardAt: annotations[SESSION_ANNOTATIONS.cloneHeardAt],
    duplicateSince: annotations[SESSION_ANNOTATIONS.duplicateSince],
  };
}
