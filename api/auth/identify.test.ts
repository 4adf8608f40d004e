import { expect, test } from 'vitest';
import type { Agent } from '../../crds/agent.ts';
import { anAgent, aPool, NOON } from '../../crds/contract/builders.ts';
import { API_VERSION } from '../../crds/group.ts';
import type { Provider } from '../../crds/provider.ts';
import { identifyAgent } from './identify.ts';

const ready = { type: 'Ready', status: 'True' as const, reason: 'Ready', message: '' };
const acme: Provider = {
  apiVersion: API_VERSION,
  kind: 'Provider',
  metadata: { name: 'acme' },
  spec: {
    publicKey: '2'.repeat(64),
    displayName: 'Acme',
    namespace: 'acme',
    acceptance: { mode: 'Automatic' },
  },
  status: { conditions: [{ ...ready, lastTransitionTime: NOON.toISOString() }] },
};
const own = anAgent(1);
const foreign = { ...own, metadata: { ...own.metadata, namespace: 'mallory' } };

const identify = (known: readonly Agent[]) =>
  identifyAgent(
    {
      caches: {
        providers: {
          all: () => [acme],
          byName: () => acme,
          byNamespace: () => [acme],
          byKey: (key) => (key === acme.spec.publicKey ? [acme] : []),
        },
        agents: { byKey: () => known, byUid: () => undefined, inNamespace: () => [], inPool: () => known },
        pools: { get: () => aPool(), inNamespace: () => [], supplying: () => [] },
      },
    },
    { publicKey: own.spec.publicKey, pathKey: acme.spec.publicKey, permission: 'provision' },
  );

test('an Agent that another provider made with the same key does not lock the real one out', () => {
  expect(identify([foreign, own]).agent).toBe(own);
  expect(() => identify([foreign])).toThrow(expect.objectContaining({ code: 'PermissionDenied' }));
});

test('a revoked one is told so, whoever else has its key elsewhere', () => {
  const revoked = { ...own, spec: { ...own.spec, revoked: true } };
  expect(() => identify([revoked])).toThrow(expect.objectContaining({ code: 'AgentRevoked' }));
  expect(() => identify([revoked, foreign])).toThrow(expect.objectContaining({ code: 'AgentRevoked' }));
});
