import { expect, test } from 'vitest';
import { AgentStatus } from './agent.ts';
import { at, uidOf } from './contract/builders.ts';
import { ReconcileRequest } from './wire/reconcile.ts';

test('a dead host can owe as many machines as an agent can list: else contracts could never end', () => {
  const MACHINES_MAX = 4096;
  const listed = Array.from({ length: MACHINES_MAX }, (_, n) => ({ externalId: `vm-${n}` }));
  expect(ReconcileRequest.safeParse({ runningInstances: listed }).success).toBe(true);
  const owedDestroys = listed.map((_, n) => ({
    contractUID: uidOf(n),
    epoch: 1,
    since: at(0).toISOString(),
  }));
  expect(AgentStatus.safeParse({ owedDestroys }).success).toBe(true);
});
