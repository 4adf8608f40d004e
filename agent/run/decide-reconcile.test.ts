import { describe, expect, test } from 'vitest';
import type { ReconcileResponse } from '../../crds/wire/work.ts';
import type { ListedInstance } from '../provisioner/provisioner.ts';
import { decideReconcile, type ReconcileFacts } from './decide-reconcile.ts';

const NOW = new Date('2026-01-02T00:00:00.000Z');
const DAY_MS = 24 * 3_600_000;
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
    quarantine: {},
    isOwn: ({ agentUid }) => agentUid === 'me',
    isStoppedByOrder: () => false,
    now: NOW,
    quarantineMs: DAY_MS,
    ...change,
    answer: anAnswer(answer),
  });
const gist = ({ actions }: ReturnType<typeof decideReconcile>): string[] =>
  actions.map((it) => ('machine' in it ? `${it.type} ${it.machine.externalId}` : `${it.type} ${it.epoch}`));

const unknown = [{ externalId: 'a', message: 'no contract' }];
const kept = [{ externalId: 'a', contractId: 'x', epoch: 1, endsAt: 0 }];

describe('decideReconcile', () => {
  test('stops what is unknown and notes since when', () => {
    const decision = decide({ listed: [aMachine('a')] }, { unknown });
    expect(gist(decision)).toEqual(['Stop a']);
    expect(decision.quarantine).toEqual({ a: { since: NOW.toISOString() } });
  });

  test('keeps counting from the first time', () => {
    const quarantine = { a: { since: '2026-01-01T12:00:00.000Z' } };
    const decision = decide({ listed: [aMachine('a', { state: 'Stopped' })], quarantine }, { unknown });
    expect(gist(decision)).toEqual([]);
    expect(decision.quarantine).toEqual(quarantine);
  });

  test('destroys it when its time is over', () => {
    const quarantine = { a: { since: '2026-01-01T00:00:00.000Z' } };
    expect(gist(decide({ listed: [aMachine('a', { state: 'Stopped' })], quarantine }, { unknown }))).toEqual([
      'DestroyUnknown a',
    ]);
  });

  test('never destroys one whose contract lives', () => {
    const quarantine = { a: { since: '2020-01-01T00:00:00.000Z' } };
    const known = unknown.map((entry) => ({ ...entry, isContractKnown: true }));
    expect(gist(decide({ listed: [aMachine('a')], quarantine }, { unknown: known }))).toEqual(['Stop a']);
  });

  test('lets it out and starts it when it is known after all', () => {
    const quarantine = { a: { since: '2026-01-01T00:00:00.000Z' } };
    const decision = decide({ listed: [aMachine('a', { state: 'Stopped' })], quarantine }, { keep: kept });
    expect(gist(decision)).toEqual(['Start a']);
    expect(decision.quarantine).toEqual({});
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
    expect(gist(decide({ listed, quarantineMs: 0 }, { unknown, keep: kept }))).toEqual([]);
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
