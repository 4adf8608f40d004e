/** Finalizers that only the operator and who may force take off: of contracts, of what is in use, of agents that owe. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Contract } from '../../crds/contract/contract.ts';
import { FINALIZER, GROUP, IN_USE_FINALIZER, VERSION } from '../../crds/group.ts';
import { STATUS_WRITERS } from '../../crds/policies.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { ResourceClient } from '../../kube/resource.ts';
import { generateKeyPair } from '../../lib/signature/keys.ts';
import { eventually } from '../world/eventually.ts';
import { resourceOf } from '../world/market.ts';
import { EXAMPLES } from './examples.ts';
import { newContract } from './phases.ts';
import { openUsers, type PolicyUsers, said } from './policy-users.ts';

let users: PolicyUsers;
let admin: KubeClient;
let contracts: ResourceClient<Contract>;
let namespace: string;
beforeAll(async () => {
  users = await openUsers('finalizers');
  ({ admin, namespace } = users);
  contracts = resourceOf<Contract>(admin, 'Contract');
});
afterAll(() => users.close());

const as = (user: 'editor' | 'breaker') => resourceOf<Contract>(users.as(user), 'Contract');

describe('the finalizer of a contract', () => {
  test('is taken off only by the operator and by who may force', async () => {
    const [operator, facade] = STATUS_WRITERS;
    const strip = async (name: string) => {
      const made = await newContract(contracts, { name, namespace });
      const kept = { ...made, metadata: { ...made.metadata, finalizers: [FINALIZER, 'example.com/other'] } };
      const { metadata, ...rest } = await contracts.update(kept);
      return { ...rest, metadata: { ...metadata, finalizers: ['example.com/other'] } };
    };
    const first = await strip('stripped');
    await eventually(async () =>
      expect(await said(as('editor').update(first))).toMatch(/403 .*editor may not take the finalizer off/),
    );
    expect(await said(as('breaker').update(first))).toBe('taken');
    for (const [writer, want] of [
      [operator, /^taken$/],
      [facade, /403 .*may not take the finalizer off/],
    ] as const) {
      const body = await strip(`stripped-by-${writer.split('-').at(-1)}`);
      const path = `/apis/${GROUP}/${VERSION}/namespaces/${namespace}/contracts/${body.metadata.name}`;
      const headers = { 'impersonate-user': writer };
      expect(await said(admin.raw({ method: 'PUT', path, body, headers }))).toMatch(want);
    }
  });
});

describe('the finalizer of what is in use, and of an agent that owes', () => {
  const kept = [
    { kind: 'AgentPool', plural: 'agentpools', name: IN_USE_FINALIZER },
    { kind: 'Offering', plural: 'offerings', name: IN_USE_FINALIZER },
    { kind: 'Provider', plural: 'providers', name: IN_USE_FINALIZER },
    { kind: 'Agent', plural: 'agents', name: FINALIZER },
  ];
  test.each(kept)('of $kind is taken off only by the operator and by who may force', async (of) => {
    const path = `/apis/${GROUP}/${VERSION}${of.kind === 'Provider' ? '' : `/namespaces/${namespace}`}/${of.plural}`;
    const rbac = '/apis/rbac.authorization.k8s.io/v1';
    const clusterwide = `providers-of-${namespace}`;
    if (of.kind === 'Provider') {
      const rules = [{ apiGroups: [GROUP], resources: ['providers'], verbs: ['update'] }];
      await admin.raw({
        method: 'POST',
        path: `${rbac}/clusterroles`,
        body: { metadata: { name: clusterwide }, rules },
      });
      const names = ['editor', 'breaker', ...STATUS_WRITERS];
      await admin.raw({
        method: 'POST',
        path: `${rbac}/clusterrolebindings`,
        body: {
          metadata: { name: clusterwide },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: clusterwide },
          subjects: names.map((name) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name })),
        },
      });
    }
    const strip = async (name: string) => {
      const own = of.kind === 'Provider' ? { namespace, publicKey: generateKeyPair().publicKey } : {};
      const metadata = { name: `${name}-${namespace}`.slice(0, 60), namespace };
      const made = await resourceOf<KubeObject>(admin, of.kind).create({
        ...EXAMPLES[of.kind],
        metadata: { ...metadata, finalizers: [of.name, 'example.com/other'] },
        spec: { ...EXAMPLES[of.kind]?.spec, ...own },
      } as KubeObject);
      return { ...made, metadata: { ...made.metadata, finalizers: ['example.com/other'] } };
    };
    const put = (client: KubeClient, body: KubeObject, headers = {}) =>
      said(client.raw({ method: 'PUT', path: `${path}/${body.metadata.name}`, body, headers }));

    const first = await strip('stripped');
    await eventually(async () =>
      expect(await put(users.as('editor'), first)).toMatch(/403 .*editor may not take the finalizer .*off/),
    );
    expect(await put(users.as('breaker'), first)).toBe('taken');
    const [operator, facade] = STATUS_WRITERS;
    expect(await put(admin, await strip('by-facade'), { 'impersonate-user': facade })).toMatch(
      /403 .*may not take the finalizer .*off/,
    );
    expect(await put(admin, await strip('by-operator'), { 'impersonate-user': operator })).toBe('taken');
    // What else is changed of it is nobody's affair here.
    const other = await strip('other');
    const labelled = { ...other, metadata: { ...other.metadata, finalizers: [of.name] } };
    expect(await put(users.as('editor'), labelled)).toBe('taken');
  });
});
