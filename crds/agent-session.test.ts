import { describe, expect, test } from 'vitest';
import {
  absenceCertainInMs,
  judgeSession,
  judgeSessionless,
  mayConfirmAbsence,
  type SessionRecord,
  sessionAnnotations,
  sessionRecordOf,
} from './agent-session.ts';

const NOW = new Date('2026-01-01T12:00:00.000Z');
const ago = (seconds: number) => new Date(NOW.getTime() - seconds * 1000).toISOString();
const record = (change: Partial<SessionRecord> = {}): SessionRecord => ({
  session: 'session-a',
  incarnation: 5,
  fingerprint: 'machine-1',
  heardAt: ago(10),
  left: false,
  ...change,
});
const ask = (known: SessionRecord | undefined, request: object) =>
  judgeSession({ record: known, request: { session: 'session-a', incarnation: 5, ...request }, now: NOW });

const cases: { name: string; known: SessionRecord | undefined; request: object; want: object }[] = [
  {
    name: 'the first one is taken',
    known: undefined,
    request: { fingerprint: 'm' },
    want: {
      outcome: 'Accepted',
      changed: true,
      record: { session: 'session-a', incarnation: 5, fingerprint: 'm' },
    },
  },
  {
    name: 'the same one again changes nothing',
    known: record(),
    request: {},
    want: { outcome: 'Accepted', changed: false, record: { heardAt: NOW.toISOString() } },
  },
  {
    name: 'one that a call introduced says later from which machine',
    known: record({ fingerprint: '' }),
    request: { fingerprint: 'machine-1' },
    want: { outcome: 'Accepted', changed: true, record: { fingerprint: 'machine-1' } },
  },
  {
    name: 'a higher incarnation supersedes',
    known: record(),
    request: { session: 'session-b', incarnation: 6 },
    want: {
      outcome: 'Accepted',
      changed: true,
      record: { session: 'session-b', supersededIncarnation: 5, supersededHeardAt: NOW.toISOString() },
    },
  },
  {
    name: 'an equal incarnation with another session is a clone, and noted',
    known: record(),
    request: { session: 'session-b' },
    want: { outcome: 'Refused', code: 'DuplicateAgent', record: { cloneHeardAt: NOW.toISOString() } },
  },
  {
    name: 'a clone that asks again within the minute costs no write',
    known: record({ cloneHeardAt: ago(59) }),
    request: { session: 'session-b' },
    want: { outcome: 'Refused', code: 'DuplicateAgent', record: undefined },
  },
  {
    name: 'a report without incarnation counts for the session that counts',
    known: record(),
    request: { incarnation: undefined },
    want: { outcome: 'Accepted', changed: false },
  },
  {
    name: 'a report without incarnation of another session is refused',
    known: record(),
    request: { session: 'session-b', incarnation: undefined },
    want: { outcome: 'Refused', code: 'SessionSuperseded', record: undefined },
  },
  {
    name: 'a report without incarnation introduces nobody',
    known: undefined,
    request: { incarnation: undefined },
    want: { outcome: 'Accepted', record: undefined, changed: false },
  },
  {
    name: 'another machine while the first is alive is a clone',
    known: record(),
    request: { session: 'session-b', incarnation: 6, fingerprint: 'machine-2' },
    want: { outcome: 'Refused', code: 'DuplicateAgent' },
  },
  {
    name: 'another boot after 45 s of silence is a restart',
    known: record({ heardAt: ago(45) }),
    request: { session: 'session-b', incarnation: 6, fingerprint: 'machine-2' },
    want: { outcome: 'Accepted', record: { fingerprint: 'machine-2' } },
  },
  {
    name: 'another boot after a graceful stop is a restart',
    known: record({ left: true }),
    request: { session: 'session-b', incarnation: 6, fingerprint: 'machine-2' },
    want: { outcome: 'Accepted' },
  },
  {
    name: 'the superseded one, just after: told to stop',
    known: record({ supersededIncarnation: 4, supersededHeardAt: ago(3) }),
    request: { session: 'session-0', incarnation: 4 },
    want: { outcome: 'Refused', code: 'SessionSuperseded', record: { supersededHeardAt: NOW.toISOString() } },
  },
  {
    name: 'the superseded one, later: both are one too many',
    known: record({ supersededIncarnation: 4, supersededHeardAt: ago(20) }),
    request: { session: 'session-0', incarnation: 4 },
    want: { outcome: 'Refused', code: 'DuplicateAgent', record: { duplicateSince: NOW.toISOString() } },
  },
  {
    name: 'with a duplicate known the newer one is refused too',
    known: record({ duplicateSince: ago(5) }),
    request: {},
    want: { outcome: 'Refused', code: 'DuplicateAgent' },
  },
  {
    name: 'a restart clears the duplicate',
    known: record({ duplicateSince: ago(5) }),
    request: { session: 'session-c', incarnation: 6 },
    want: { outcome: 'Accepted', record: { session: 'session-c' } },
  },
];
describe('one agent, one session', () => {
  for (const { name, known, request, want } of cases)
    test(name, () => expect(ask(known, request)).toMatchObject(want));

  test('absence may be confirmed once the process before was silent for 45 s, or had said goodbye', () => {
    expect(mayConfirmAbsence(record(), NOW)).toBe(true);
    expect(mayConfirmAbsence(record({ supersededHeardAt: ago(44) }), NOW)).toBe(false);
    expect(mayConfirmAbsence(record({ supersededHeardAt: ago(45) }), NOW)).toBe(true);
    expect(absenceCertainInMs(record({ supersededHeardAt: ago(44) }), NOW)).toBe(1000);
    const restarted = judgeSession({
      record: record({ left: true }),
      request: { session: 'session-b', incarnation: 6 },
      now: NOW,
    });
    expect(restarted.record && mayConfirmAbsence(restarted.record, NOW)).toBe(true);
  });

  test('who leaves its session out is the reference agent, or a clone of one that has introduced it', () => {
    expect(judgeSessionless(undefined, NOW)).toBeUndefined();
    expect(judgeSessionless(record({ left: true }), NOW)).toBeUndefined();
    expect(judgeSessionless(record(), NOW)).toMatchObject({ code: 'DuplicateAgent' });
  });

  test('survives the annotations of a Lease', () => {
    const full = record({
      left: true,
      supersededIncarnation: 4,
      supersededHeardAt: ago(3),
      cloneHeardAt: ago(2),
      duplicateSince: ago(1),
    });
    expect(sessionRecordOf(sessionAnnotations(full), full.heardAt)).toEqual(full);
  });
});
