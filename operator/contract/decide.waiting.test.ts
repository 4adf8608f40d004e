/** What is said of a contract that waits for an agent, when, and how often. */
import { describe, expect, test } from 'vitest';
import { aClaimant, aContract, at } from '../../crds/contract/builders.ts';
import type { LiveContract } from '../../crds/contract/contract.ts';
import { claim } from '../../crds/contract/lock.ts';
import { ContractStatus } from '../../crds/contract/status.ts';
import type { Explanation } from '../../crds/placement/explain.ts';
import { anOutlook, newborn, someFacts } from './builders.ts';
import { decide } from './decide.ts';
import type { Outlook } from './outlook.ts';

const full = (change: Partial<Explanation> = {}): Outlook => ({
  ...anOutlook('NoCapacity', {
    counts: [{ reason: 'InsufficientCPU', count: 2 }],
    examples: ['europe-script/node-1: full: 4 CPU free of 32 CPU'],
    ...change,
  }),
  hasHope: true,
});
const waiting = (status: Partial<ContractStatus> = {}): LiveContract => aContract('Accepted', status);

/** What one look decides, `seconds` after noon. */
const look = (contract: LiveContract, outlook: Outlook, seconds: number) => {
  const decision = decide(someFacts({ contract, outlook, now: at(seconds) }));
  const status = decision.status as ContractStatus; // a live contract keeps one
  return { ...decision, status, contract: { ...contract, status } };
};
const schedulable = ({ conditions }: ContractStatus) =>
  conditions?.find(({ type }) => type === 'Schedulable');

describe('nobody may claim it', () => {
  const told = look(waiting(), full(), 10);

  test('the provider reads reasons, counts and examples, the tenant a sentence without a name', () => {
    expect(told.status).toMatchObject({
      phase: 'Accepted',
      reason: 'NoCapacity',
      message: 'for the tenant: NoCapacity It is tried until 13:00:00 UTC; then it ends and costs nothing.',
      scheduling: {
        reason: 'NoCapacity',
        counts: [{ reason: 'InsufficientCPU', count: 2 }],
        examples: ['europe-script/node-1: full: 4 CPU free of 32 CPU'],
        at: at(10).toISOString(),
      },
    });
    expect(schedulable(told.status)).toEqual({
      type: 'Schedulable',
      status: 'False',
      reason: 'NoCapacity',
      message: 'for the provider: NoCapacity',
      lastTransitionTime: at(10).toISOString(),
    });
    expect(ContractStatus.safeParse(told.status).error).toBeUndefined();
  });

  test('is said with the acceptance itself: that costs no write', () => {
    const { status, prepare } = decide(someFacts({ contract: newborn, outlook: full() }));
    expect(prepare).toBeDefined();
    expect(status).toMatchObject({
      phase: 'Accepted',
      reason: 'NoCapacity',
      scheduling: { reason: 'NoCapacity' },
    });
  });

  test('the same again is not written, however late', () =>
    expect(look(told.contract, full(), 600).status).toEqual(told.status));

  test('something else is, but not before 30 seconds are over', () => {
    const other = full({ counts: [{ reason: 'InsufficientCPU', count: 3 }] });
    expect(look(told.contract, other, 39)).toMatchObject({ status: told.status, requeueAfterMs: 1000 });
    expect(look(told.contract, other, 40).status.scheduling).toMatchObject({
      counts: [{ reason: 'InsufficientCPU', count: 3 }],
      at: at(40).toISOString(),
    });
  });

  const lines = full({ message: '0 of 2 agents can take 16 CPU:\n  node-1: full\nWhat helps: wait.' });
  const better = look(told.contract, anOutlook(), 11);
  test('somebody may again: it is said at once', () => {
    expect(schedulable(better.status)).toMatchObject({ status: 'True', reason: 'AwaitingAgent' });
    expect(better.status.scheduling).toBeUndefined();
  });

  test('nobody may again: at once but for a blink, without examples until 30 seconds are over', () => {
    expect(look(better.contract, lines, 12)).toMatchObject({ status: better.status, requeueAfterMs: 4000 });
    const worse = look(better.contract, lines, 16);
    expect(schedulable(worse.status)).toMatchObject({
      ...{ status: 'False', reason: 'NoCapacity', lastTransitionTime: at(16).toISOString() },
      message: '0 of 2 agents can take 16 CPU',
    });
    expect(worse.status.scheduling).toEqual({
      ...{ reason: 'NoCapacity', counts: [], examples: [], at: at(11).toISOString() },
    });
    expect(look(worse.contract, lines, 40)).toMatchObject({ status: worse.status, requeueAfterMs: 1000 });
    const again = look(worse.contract, lines, 41).status;
    expect(again.scheduling?.examples).toHaveLength(1);
    expect(schedulable(again)).toMatchObject({ message: lines.why.message });
    expect(schedulable(again)?.lastTransitionTime).toBe(at(16).toISOString());
    expect(look(better.contract, lines, 41).status.scheduling?.examples).toHaveLength(1);
  });

  test('room that comes and goes every second costs at most two writes in 5 seconds and one list in 30', () => {
    let { contract } = told;
    let [writes, lists] = [0, 0];
    for (let seconds = 11; seconds <= 310; seconds++) {
      const next = look(contract, seconds % 2 === 0 ? full() : anOutlook(), seconds);
      if (
        next.status !== contract.status &&
        JSON.stringify(next.status) !== JSON.stringify(contract.status)
      ) {
        writes++;
        if ((next.status.scheduling?.examples ?? []).length > 0) lists++;
      }
      contract = next.contract;
    }
    expect(writes).toBeLessThanOrEqual(120);
    expect(lists).toBeLessThanOrEqual(10);
  });

  test('looks again when time alone may change the answer', () =>
    expect(look(told.contract, full({ againAtMs: at(25).getTime() }), 20).requeueAfterMs).toBe(5000));

  test('what an earlier look of another round said is forgotten with a claim or an end', () => {
    const cancelled = { ...told.contract, spec: { ...told.contract.spec, cancel: { requested: true } } };
    const { status } = look(cancelled, full(), 20);
    expect(status.phase).toBe('Cancelled');
    expect(status.scheduling).toBeUndefined();
    expect(schedulable(status)).toBeUndefined();
    const claimed = claim(told.contract, {
      ...{ agent: aClaimant(1), ttlSeconds: 300, now: at(20), eligible: { eligible: true } },
    });
    expect(claimed).toMatchObject({ outcome: 'Write', status: { phase: 'Provisioning' } });
    if (claimed.outcome !== 'Write') return;
    expect(claimed.status.scheduling).toBeUndefined();
    expect(schedulable(claimed.status)).toBeUndefined();
  });
});

describe('somebody may claim it', () => {
  test('nothing is written: the way of most contracts', () => {
    const contract = waiting({ reason: 'AwaitingAgent' });
    expect(look(contract, anOutlook(), 10).status).toEqual({ ...contract.status, observedGeneration: 1 });
  });
  test('and a contract that failed keeps saying so', () => {
    const contract = waiting({ reason: 'AttemptFailed', message: 'Try 1 of 3 failed' });
    expect(look(contract, anOutlook('AwaitingRetry'), 10).status).toMatchObject({ reason: 'AttemptFailed' });
  });
});

describe('for two minutes', () => {
  const told = look(waiting(), full(), 10);
  const since = at(10).toISOString();

  test('it is told, with what the provider reads; until then it says when', () => {
    expect(look(told.contract, full(), 129)).toMatchObject({ after: [], requeueAfterMs: 1000 });
    expect(look(told.contract, full(), 130).after).toEqual([
      { type: 'TellStuck', reason: 'NoCapacity', message: 'for the provider: NoCapacity', since },
    ]);
  });
  test('other reasons meanwhile begin no new wait, somebody who may claim does', () => {
    const other = look(told.contract, anOutlook('NoAgentOnline'), 60);
    expect(look(other.contract, full(), 130).after).toMatchObject([{ type: 'TellStuck', since }]);
    const better = look(told.contract, anOutlook(), 60);
    const worse = look(better.contract, full(), 100);
    expect(look(worse.contract, full(), 130).after).toEqual([]);
  });
});
