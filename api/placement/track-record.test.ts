import { expect, test } from 'vitest';
import { aContract, anAgent, at, uidOf } from '../../crds/contract/builders.ts';
import type { Attempt } from '../../crds/contract/status.ts';
import { createTrackRecords, failedAgents } from './track-record.ts';

const attempt = (n: number, seconds: number, change: Partial<Attempt> = {}): Attempt => ({
  agent: `agent-${n}`,
  agentUID: uidOf(n),
  epoch: 1,
  startedAt: at(seconds).toISOString(),
  endedAt: at(seconds).toISOString(),
  outcome: 'Failed',
  class: 'transient',
  ...change,
});
const after = (...attempts: Attempt[]) => aContract('Accepted', { epoch: 2, attempts });
const SUCCEEDED = { outcome: 'Succeeded', class: undefined } as const;

test('only contracts that went wrong by the fault of an agent are kept for it', () => {
  expect(failedAgents(after(attempt(1, 0), attempt(2, 0), attempt(1, 10)))).toEqual([uidOf(1), uidOf(2)]);
  expect(failedAgents(after(attempt(1, 0, SUCCEEDED)))).toEqual([]);
  expect(failedAgents(after(attempt(1, 0, { outcome: 'Released', class: 'capacity' })))).toEqual([]);
});

test('the last success is remembered of contracts that are kept no more, and never falls', () => {
  const records = createTrackRecords(() => [after(attempt(1, 30))]);
  records.note(after(attempt(1, 20, SUCCEEDED)));
  records.note(after(attempt(1, 10, SUCCEEDED)));
  expect(records.of(anAgent(1), at(60))).toEqual({
    lastSuccessAt: at(20).toISOString(),
    failures: [expect.objectContaining({ at: at(30).toISOString() })],
  });
});

test('of agents that are gone nothing is kept', () => {
  const records = createTrackRecords(() => []);
  records.note(after(attempt(1, 20, SUCCEEDED), attempt(2, 20, SUCCEEDED)));
  records.forget((uid) => uid === uidOf(1));
  expect(records.of(anAgent(1), at(60))).toEqual({ lastSuccessAt: at(20).toISOString() });
  expect(records.of(anAgent(2), at(60))).toEqual({});
});

test('what the operator knows of contracts that left the cluster counts too', () => {
  const records = createTrackRecords(() => []);
  const agent = { ...anAgent(1), status: { health: { lastSuccessAt: at(40).toISOString() } } };
  expect(records.of(agent, at(60))).toEqual({ lastSuccessAt: at(40).toISOString() });
});
