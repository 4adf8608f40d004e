import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aGrant, aMachine, aRecord, ID } from '../testing/builders.ts';
import { decideJob, type JobFacts } from './decide-job.ts';

const CREATED = { externalId: `dc-${ID}`, port: 22, addresses: [], isConfirmed: false, details: {} };
const HELD = { leftMs: 300_000, ttlMs: 300_000 };

const someFacts = (change: Partial<JobFacts>): JobFacts => ({
  record: aRecord({ grant: aGrant(5) }),
  isOffered: false,
  isStopping: false,
  lock: HELD,
  machines: [],
  hasRoom: true,
  isVerified: false,
  ...change,
});

const built = aRecord({ grant: aGrant(5, { created: CREATED }) });
const cases: { name: string; given: Partial<JobFacts>; want: object }[] = [
  { name: 'claims what is offered', given: { record: aRecord(), isOffered: true }, want: { type: 'Claim' } },
  {
    name: 'claims nothing while it stops',
    given: { record: aRecord(), isOffered: true, isStopping: true },
    want: { type: 'Done', because: 'Stopping' },
  },
  { name: 'looks before it builds', given: { machines: undefined }, want: { type: 'List' } },
  { name: 'builds under its lock', given: {}, want: { type: 'Create' } },
  { name: 'begins nothing without a lock', given: { lock: undefined }, want: { type: 'Regain', epoch: 5 } },
  {
    name: 'begins nothing under a lock that is nearly over',
    given: { lock: { leftMs: 99_000, ttlMs: 300_000 } },
    want: { type: 'AwaitRenewal' },
  },
  { name: 'begins nothing while it stops', given: { isStopping: true }, want: { type: 'Done' } },
  {
    name: 'adopts what a crash or an expiry interrupted',
    given: { machines: [aMachine(3)] },
    want: { type: 'Adopt', machine: { epoch: 3 } },
  },
  {
    name: 'destroys first what had failed',
    given: { machines: [aMachine(3)], record: aRecord({ grant: aGrant(5), givenUp: 3 }) },
    want: { type: 'DoomOlder', epoch: 3 },
  },
  {
    name: 'destroys first what was reported: it did not verify, or was moved',
    given: { machines: [aMachine(3)], record: aRecord({ grant: aGrant(5), reporting: 3 }) },
    want: { type: 'DoomOlder', epoch: 3 },
  },
  {
    name: 'destroys an older one beside its own',
    given: { machines: [aMachine(3), aMachine(5)] },
    want: { type: 'DoomOlder', epoch: 3 },
  },
  {
    name: 'leaves a newer machine alone',
    given: { machines: [aMachine(6)] },
    want: { type: 'Done', because: 'NewerMachine' },
  },
  {
    name: 'gives back what it has no room for',
    given: { hasRoom: false },
    want: { type: 'NoRoom', epoch: 5 },
  },
  {
    name: 'fails what it has no room to finish',
    given: { hasRoom: false, machines: [aMachine(5)] },
    want: { type: 'Fail', class: 'capacity' },
  },
  {
    name: 'verifies what is built',
    given: { record: built, machines: [aMachine(5)] },
    want: { type: 'Verify' },
  },
  {
    name: 'reports finished work without a lock, and while it stops',
    given: { record: built, machines: [aMachine(5)], isVerified: true, lock: undefined, isStopping: true },
    want: { type: 'Report' },
  },
  {
    name: 'fails when what was built is gone',
    given: { record: built },
    want: { type: 'Fail', class: 'transient' },
  },
  {
    name: 'removes before it builds',
    given: { record: aRecord({ grant: aGrant(5), doomed: [3] }) },
    want: { type: 'Remove', epoch: 3 },
  },
  {
    name: 'builds before it confirms what is gone',
    given: { record: aRecord({ grant: aGrant(5), absent: [{ epoch: 3, as: 'Terminated' }] }) },
    want: { type: 'Create' },
  },
  {
    name: 'confirms before it claims again',
    given: { record: aRecord({ absent: [{ epoch: 3, as: 'Terminated' }] }), isOffered: true },
    want: { type: 'Deliver' },
  },
  {
    name: 'reports a failure first of all',
    given: { record: aRecord({ failed: { epoch: 5, class: 'transient', message: 'm' }, doomed: [3] }) },
    want: { type: 'ReportFailure' },
  },
  {
    name: 'is done when nothing is left',
    given: { record: aRecord() },
    want: { type: 'Done', because: 'Settled' },
  },
];

describe('decideJob', () => {
  for (const { name, given, want } of cases)
    test(name, () => expect(decideJob(someFacts(given))).toMatchObject(want));

  test('never begins to build without a lock that lasts, room, a listing, or what was given up', () =>
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const step = decideJob(facts);
        if (step.type !== 'Create' && step.type !== 'Adopt') return;
        expect(facts.lock && facts.lock.leftMs >= facts.lock.ttlMs / 3).toBe(true);
        expect(facts.machines).toBeDefined();
        expect(facts.isStopping).toBe(false);
        expect(facts.record.failed).toBeUndefined();
        expect(facts.record.doomed).toEqual([]);
        if (step.type === 'Create') expect(facts.machines?.every(({ epoch }) => epoch === 5)).toBe(true);
        else
          expect(step.machine.epoch).toBeGreaterThan(Math.max(facts.record.givenUp, facts.record.reporting));
      }),
    ));
});

const anyFacts: fc.Arbitrary<JobFacts> = fc.record({
  record: fc
    .record({
      givenUp: fc.integer({ min: -1, max: 4 }),
      reporting: fc.integer({ min: -1, max: 5 }),
      doomed: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 2 }),
      failed: fc.option(fc.constant({ epoch: 4, class: 'transient' as const, message: 'm' }), {
        nil: undefined,
      }),
      created: fc.boolean(),
    })
    .map(({ created, failed, ...rest }) =>
      aRecord({
        ...rest,
        ...(failed ? { failed } : {}),
        grant: aGrant(5, created ? { created: CREATED } : {}),
      }),
    ),
  isOffered: fc.boolean(),
  isStopping: fc.boolean(),
  lock: fc.option(fc.record({ leftMs: fc.integer({ min: 0, max: 300 }), ttlMs: fc.constant(300) }), {
    nil: undefined,
  }),
  machines: fc.option(
    fc.array(
      fc.integer({ min: 1, max: 6 }).map((epoch) => aMachine(epoch)),
      { maxLength: 3 },
    ),
    {
      nil: undefined,
    },
  ),
  hasRoom: fc.boolean(),
  isVerified: fc.boolean(),
});
