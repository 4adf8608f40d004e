/**
 * What GitOps tools make of a contract. `kstatusOf` follows the generic rules of sigs.k8s.io/cli-utils,
 * pkg/kstatus/status (Flux, kpt, Argo CD's defaults build on it): generation, Reconciling, Stalled, Ready.
 */
import { describe, expect, test } from 'vitest';
import { aContract, aHolder, at, NOON, uidOf } from './builders.ts';
import type { LiveContract } from './contract.ts';
import { withReady } from './move.ts';
import { hasEnded, PHASES } from './phase.ts';
import { end, firstStatus, retry } from './steps.ts';

type KStatus = 'Current' | 'InProgress' | 'Failed' | 'Terminating';

function kstatusOf({ metadata, status }: LiveContract): KStatus {
  const condition = (type: string) => status.conditions?.find((entry) => entry.type === type)?.status;
  if (metadata.deletionTimestamp) return 'Terminating';
  if (status.observedGeneration !== undefined && status.observedGeneration !== metadata.generation)
    return 'InProgress';
  if (condition('Reconciling') === 'True') return 'InProgress';
  if (condition('Stalled') === 'True') return 'Failed';
  return condition('Ready') === 'True' ? 'Current' : 'InProgress';
}

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
