import { describe, expect, test } from 'vitest';
import { EMPTY_BOOK, type OrphanBook, type OrphanNote } from '../../crds/contract/orphans.ts';
import type { ReconcileResponse } from '../../crds/wire/reconcile.ts';
import type { ListedInstance } from '../provisioner/provisioner.ts';
import { decideReconcile, type ReconcileFacts } from './decide-reconcile.ts';

const NOW = new Date('2026-01-02T00:00:00.000Z');
const DAY_MS = 24 * 3_600_000;
const LIMITS = { minAgeMs: 15 * 60_000, quarantineMs: DAY_MS, destroyedPerHourMax: 5 };
const noted = (stage: OrphanNote['stage'], stageMs = 0): OrphanBook => ({
  notes: { a: { stage, stageMs, since: NOW.toISOString() } },
  destroyed: [],
});
const aMachine = (externalId: string, change: Partial<ListedInstance> = {}): ListedInstance => ({
  externalId,
  contractId: externalId.padEnd(32, '0'),
  epoch: 1,
  installation: 'i',
  agentUid: 'me',
  state: 'Running',
  createdAt: '2026-01-01T00:00:00Z',
  ...change,
});
const anAnswer = (change: Partial<ReconcileResponse>): ReconcileResponse => ({
  keep: [],
  terminate: [],
  unknown: [],
  pause: [],
  adopt: [],
  confirm: [],
  ...change,
});
const decide = (change: Partial<Omit<ReconcileFacts, 'answer'>>, answer: Partial<ReconcileResponse>) =>
  decideReconcile({
    listed: [],
    orphans: EMPTY_BOOK,
    isOwn: ({ agentUid }) => agentUid === 'me',
    isStoppedByOrder: () => false,
    elapsedMs: 60_000,
    now: NOW,
    limits: LIMITS,
    ...change,
    answer: anAnswer(answer),
  });
const gist = ({ actions }: ReturnType<typeof decideReconcile>): string[] =>
  actions.map((it) => ('machine' in it ? `${it.type} ${it.machine.externalId}` : `${it.type} ${it.epoch}`));

const unknown = [{ externalId: 'a', message: 'no contract' }];
const kept = [{ externalId: 'a', contractId: 'x', epoch: 1, endsAt: 0 }];

describe('decideReconcile', () => {
  test('notes what belongs to nobody, and stops it when it hears so again', () => {
    const listed = [aMachine('a')];
    const first = decide({ listed }, { unknown });
    expect(gist(first)).toEqual([]);
    const second = decide({ listed, orphans: first.orphans }, { unknown });
    expect(gist(second)).toEqual(['Stop a']);
    expect(second.orphans).toEqual(noted('Stopped'));
  });

  test('destroys it when its time is over', () => {
    const listed = [aMachine('a', { state: 'Stopped' })];
    const early = decide({ listed, orphans: noted('Stopped', DAY_MS - 60_001) }, { unknown });
    expect(gist(early)).toEqual([]);
    expect(gist(decide({ listed, orphans: early.orphans }, { unknown }))).toEqual(['DestroyOrphan a']);
  });

  test('never destroys one whose contract lives', () => {
    const known = unknown.map((entry) => ({ ...entry, isContractKnown: true }));
    const listed = [aMachine('a')];
    expect(gist(decide({ listed, orphans: noted('Stopped', 9 * DAY_MS) }, { unknown: known }))).toEqual([
      'Stop a',
    ]);
  });

  test('lets it out and starts it when it is known after all', () => {
    const orphans = noted('Stopped');
    const decision = decide({ listed: [aMachine('a', { state: 'Stopped' })], orphans }, { keep: kept });
    expect(gist(decision)).toEqual(['Start a']);
    expect(decision.orphans).toEqual(EMPTY_BOOK);
  });

  test('leaves what was not judged this time as it is, and remembers it', () => {
    const orphans = noted('Stopped', DAY_MS);
    const decision = decide({ listed: [aMachine('a')], orphans }, { undecided: ['a'] });
    expect(gist(decision)).toEqual([]);
    expect(decision.orphans).toEqual(orphans);
  });

  test('stops, destroys and orders nothing while deletions are suspended; only what is kept runs', () => {
    const listed = [aMachine('a', { state: 'Stopped' }), aMachine('b'), aMachine('c')];
    const orphans = { ...noted('Due'), destroyed: [] };
    const answer = {
      deletionsSuspended: true,
      keep: kept,
      unknown: [{ externalId: 'c', message: 'no contract' }],
      pause: [{ externalId: 'b', contractId: 'x', reason: 'Paused' }],
      terminate: [{ externalId: 'b', contractId: 'x', reason: 'Superseded', epoch: 2 }],
      confirm: [{ contractId: 'y', epoch: 3 }],
    };
    const decision = decide({ listed, orphans }, answer);
    expect(gist(decision)).toEqual(['Start a']);
    expect(decision.orphans).toEqual(orphans);
  });

  test('does not start what somebody ordered to be stopped, nor what runs', () => {
    const listed = [aMachine('a', { state: 'Stopped' })];
    expect(gist(decide({ listed, isStoppedByOrder: () => true }, { keep: kept }))).toEqual([]);
    expect(gist(decide({ listed: [aMachine('a')] }, { keep: kept }))).toEqual([]);
  });

  test('pauses what runs', () => {
    const pause = [{ externalId: 'a', contractId: 'x', reason: 'Paused' }];
    expect(gist(decide({ listed: [aMachine('a')] }, { pause }))).toEqual(['Stop a']);
  });

  test("touches no other agent's machine but to adopt it", () => {
    const listed = [aMachine('a', { agentUid: 'other' })];
    expect(gist(decide({ listed, orphans: noted('Due') }, { unknown, keep: kept }))).toEqual([]);
    expect(gist(decide({ listed }, { adopt: [{ externalId: 'a', contractId: 'x', epoch: 4 }] }))).toEqual([
      'Adopt a',
    ]);
  });

  test('orders what must go and what is to be confirmed', () => {
    const terminate = [{ externalId: 'a', contractId: 'x', reason: 'Superseded', epoch: 2 }];
    const confirm = [{ contractId: 'y', epoch: 3 }];
    expect(gist(decide({ listed: [aMachine('a')] }, { terminate, confirm }))).toEqual(['Order 2', 'Order 3']);
  });
});
