import { expect, test } from 'vitest';
import { aContract, aLock, NOON } from '../../crds/contract/builders.ts';
import type { ContractPhase } from '../../crds/contract/phase.ts';
import type { HistoryEntry } from '../../crds/contract/status.ts';
import { tenantMessage } from './tenant-message.ts';

const at = NOON.toISOString();
const moved = { at, from: 'Active', to: 'Accepted', by: 'operator', reason: 'Moved' } as const;
type Entry = Omit<HistoryEntry, 'seq'>;
const told = (phase: ContractPhase, more: readonly Entry[] = []): string => {
  const history = [moved, ...more].map((entry, n) => ({ seq: n + 1, ...entry }));
  const lock = phase === 'Provisioning' ? { lock: aLock(1) } : {};
  return tenantMessage(aContract(phase, { history, ...lock }), { online: () => 1, now: NOON });
};

test('a tenant is told that its machine is moved, until it runs again', () => {
  expect(told('Accepted')).toMatch(/^Your machine is moved to another host and set up anew\. On its way/);
  const claimed = { at, from: 'Accepted', to: 'Provisioning', by: 'agent-2', reason: 'Claimed' } as const;
  expect(told('Provisioning', [claimed])).toMatch(/^Your machine is moved .* Your machine is being built\.$/);
  expect(told('Active', [{ at, from: 'Provisioned', to: 'Active', by: 'operator', reason: 'Ready' }])).toBe(
    'Your machine runs.',
  );
});

test('a tenant is told that its machine was lost, until another one runs', () => {
  const lost = { at, from: 'Active', to: 'Accepted', by: 'operator', reason: 'InstanceLost' } as const;
  expect(told('Accepted', [lost])).toMatch(/^Your machine was lost .* in its place\. On its way/);
  const runs = { at, from: 'Provisioned', to: 'Active', by: 'operator', reason: 'Ready' } as const;
  expect(told('Active', [lost, runs])).toBe('Your machine runs.');
  expect(told('Provisioning', [lost, runs])).toBe('Your machine is being built.');
});

test('of a rental that ran and found no other host it is told what was left, not that it was for nothing', () => {
  const failed = { at, from: 'Accepted', to: 'Failed', by: 'operator', reason: 'DeadlineExceeded' } as const;
  const history = [moved, failed].map((entry, n) => ({ seq: n + 1, ...entry }));
  const said = (startsAt: string | undefined): string => {
    const status = { history, reason: failed.reason, ...(startsAt && { startsAt }) };
    const contract = aContract('Failed', status, { spec: { durationHours: 24 } });
    return tenantMessage(contract, { online: () => 1, now: NOON });
  };
  expect(said(new Date(NOON.getTime() - 5 * 3_600_000).toISOString())).toBe(
    'Your machine could not be built anew in time. It ran until 2026-01-01T12:00:00.000Z; 19 of its 24 hours ' +
      'were left. The provider may still try again.',
  );
  expect(said(undefined)).toBe(
    'Your machine could not be built in time. You pay nothing. The provider may still try again.',
  );
});
