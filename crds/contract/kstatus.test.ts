/** What GitOps tools make of a contract; of the other kinds, and of real objects: test/cluster/gitops/. */
import { describe, expect, test } from 'vitest';
import { type KStatus, kstatusOf } from '../kstatus.ts';
import { aContract, aHolder, at, NOON, uidOf } from './builders.ts';
import { withReady } from './move.ts';
import { hasEnded, PHASES } from './phase.ts';
import { end, firstStatus, retry } from './steps.ts';

const want = (phase: (typeof PHASES)[number]): KStatus =>
  phase === 'Active' ? 'Current' : hasEnded(phase) ? 'Failed' : 'InProgress';

describe('kstatus', () => {
  for (const phase of PHASES)
    test(`${phase} is ${want(phase)}`, () => {
      const instance = { agentUID: uidOf(1), epoch: 1, externalId: 'dc-1' };
      const { status, ...contract } = aContract(phase, { holders: [aHolder(1, 1)], instance });
      expect(kstatusOf({ ...contract, status: withReady(status, NOON) })).toBe(want(phase));
    });

  test('a change that nobody has seen yet is in progress', () => {
    const contract = aContract('Active', { observedGeneration: 1 }, { metadata: { generation: 2 } });
    expect(kstatusOf({ ...contract, status: withReady(contract.status, NOON) })).toBe('InProgress');
  });

  test('a retry of what failed is in progress again', () => {
    const said = { reason: 'X', message: 'x', now: at(1) };
    const failed = end(firstStatus({ to: 'Accepted', ...said }), { to: 'Failed', ...said });
    const contract = aContract('Failed');
    expect(kstatusOf({ ...contract, status: failed })).toBe('Failed');
    expect(kstatusOf({ ...contract, status: retry(failed, { ...said, retried: 1 }) })).toBe('InProgress');
  });
});
