/** Who may do what to a contract, with users of the API server's own: the admission policies, and RBAC behind them. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { aHolder, someTerms, uidOf } from '../../crds/contract/builders.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import { FINALIZER, GROUP, IN_USE_FINALIZER, VERSION } from '../../crds/group.ts';
import { FORCE_RELEASE_VERB, STATUS_WRITERS } from '../../crds/policies.ts';
import { createKubeClient, type KubeClient } from '../../kube/client.ts';
import { KubeError } from '../../kube/error.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { ResourceClient } from '../../kube/resource.ts';
import { generateKeyPair } from '../../lib/signature/keys.ts';
import { addTestUser, inNamespace } from '../world/cluster.ts';
import { eventually } from '../world/eventually.ts';
import { resourceOf } from '../world/market.ts';
import { EXAMPLES } from './examples.ts';
import { newContract, walkTo, wayTo } from './phases.ts';

let admin: KubeClient;
let contracts: ResourceClient<Contract>;
let namespace: string;
const users = new Map<string, KubeClient>();

/** May edit contracts and their status, as far as RBAC goes; `breaker` may force as well. */
async function addUser(name: string, verbs: readonly string[]): Promise<void> {
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  const metadata = { name, namespace };
  await admin.raw({
    method: 'POST',
    path: `${rbac}/namespaces/${namespace}/roles`,
    body: {
      metadata,
      rules: [
        {
          apiGroups: [GROUP],
          resources: ['contracts', 'contracts/status'],
          verbs: ['get', 'create', 'update', ...verbs],
        },
        { apiGroups: [GROUP], resources: ['agentpools', 'offerings', 'agents'], verbs: ['get', 'update'] },
      ],
    },
  });
  await admin.raw({
    method: 'POST',
    path: `${rbac}/namespaces/${namespace}/rolebindings`,
    body: {
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name }],
    },
  });
  users.set(name, createKubeClient({ kubeconfig: { file: await addTestUser({ name }) } }));
}

beforeAll(async () => {
  admin = createKubeClient({ kubeconfig: { file: inject('kubeconfig') } });
  contracts = resourceOf<Contract>(admin, 'Contract');
  namespace = await inNamespace('policies');
  await addUser('editor', []);
  await addUser('breaker', [FORCE_RELEASE_VERB]);
});
afterAll(async () => {
  for (const client of [admin, ...users.values()]) await client.close();
});

const said = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'taken',
    (error: unknown) => (error instanceof KubeError ? `${error.status} ${error.message}` : String(error)),
  );
const as = (user: string): ResourceClient<Contract> => {
  const client = users.get(user);
  if (!client) throw new Error(`nobody is called ${user}`);
  return resourceOf<Contract>(client, 'Contract');
};
const ending = async (name: string): Promise<Contract> => {
  const made = await newContract(contracts, { name, namespace });
  const there = await walkTo(contracts, made, wayTo('Terminating'));
  return contracts.updateStatus({
    ...there,
    status: { ...there.status, holders: [aHolder(1, 1)] },
  } as Contract);
};
const force = (user: string, contract: Contract, by: string) =>
  said(
    as(user).update({
      ...contract,
      spec: {
        ...contract.spec,
        forceRelease: [{ agentUID: uidOf(1), epoch: 1, by, reason: 'the host burnt down' }],
      },
    }),
  );

describe('a holder released by force', () => {
  test('needs the verb force-release, and the own name', async () => {
    const contract = await ending('burnt');
    // A policy counts a moment after it was made.
    await eventually(async () =>
      expect(await force('editor', contract, 'editor')).toMatch(
        /403 .*editor may not release a holder by force/,
      ),
    );
    expect(await force('breaker', contract, 'somebody-else')).toMatch(
      /403 .*forceRelease.by must be your own user name: breaker/,
    );
    expect(await force('breaker', contract, 'breaker')).toBe('taken');
  });

  test('does not keep others from writing the spec afterwards', async () => {
    const contract = await ending('others');
    expect(await force('breaker', contract, 'breaker')).toBe('taken');
    const forced = await contracts.get({ namespace, name: 'others' });
    if (!forced) throw new Error('it is there');
    const cancelled = { ...forced, spec: { ...forced.spec, cancel: { requested: true } } };
    expect(await said(as('editor').update(cancelled))).toBe('taken');
  });

  test('needs the verb at birth too', async () => {
    const wish = [{ agentUID: uidOf(1), epoch: 1, by: 'editor', reason: 'why not' }];
    const made = said(newContract(as('editor'), { name: 'born', namespace }, { forceRelease: wish }));
    expect(await made).toMatch(/403 .*editor may not release a holder by force/);
  });
});

describe('the status of a contract', () => {
  test('is not written by who may otherwise edit contracts', async () => {
    const contract = await ending('by-hand');
    const freed = { ...contract, status: { ...contract.status, holders: [] } } as unknown as Contract;
    await eventually(async () =>
      expect(await said(as('editor').updateStatus(freed))).toMatch(
        /403 .*editor may not write the status of a contract/,
      ),
    );
    expect(await said(as('breaker').updateStatus(freed))).toBe('taken');
  });

  test.each(STATUS_WRITERS)('is written by %s, without any right to force', async (writer) => {
    const contract = await ending(`by-${writer.split('-').at(-1)}`);
    const [, , serviceNamespace, name] = writer.split(':');
    await admin.raw({
      method: 'POST',
      path: `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`,
      body: {
        metadata: { name, namespace },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'editor' },
        subjects: [{ kind: 'ServiceAccount', namespace: serviceNamespace, name }],
      },
    });
    const path = `/apis/${GROUP}/${VERSION}/namespaces/${namespace}/contracts/${contract.metadata.name}`;
    const headers = { 'impersonate-user': writer };
    const body = { ...contract, status: { ...contract.status, message: 'written' } };
    await eventually(async () =>
      expect(await said(admin.raw({ method: 'PUT', path: `${path}/status`, body, headers }))).toBe('taken'),
    );
    const now = await contracts.get({ namespace, name: contract.metadata.name });
    const wish = [{ agentUID: uidOf(1), epoch: 1, by: writer, reason: 'why not' }];
    const forced = { ...now, spec: { ...now?.spec, forceRelease: wish } };
    expect(await said(admin.raw({ method: 'PUT', path, body: forced, headers }))).toMatch(
      /403 .*may not release a holder by force/,
    );
  });
});

describe('the terms of a contract', () => {
  const terms = { termsSnapshot: someTerms({ price: { amountMinor: 0, currency: 'EUR', per: 'Month' } }) };
  test('are not made up by who rents by YAML, at birth or later', async () => {
    const place = { name: 'own-terms', namespace };
    await eventually(async () =>
      expect(await said(newContract(as('editor'), place, terms))).toMatch(
        /403 .*editor may not write the terms of a contract: leave spec.termsSnapshot out/,
      ),
    );
    const made = await newContract(as('editor'), place);
    const later = { ...made, spec: { ...made.spec, ...terms } };
    expect(await said(as('editor').update(later))).toMatch(/403 .*may not write the terms/);
    const written = await contracts.update(later); // as the operator does
    expect(await said(as('editor').update({ ...written, spec: { ...written.spec, restart: 0 } }))).toBe(
      'taken',
    );
  });
});

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
    const by = (name: string): KubeClient => users.get(name) ?? admin;

    const first = await strip('stripped');
    await eventually(async () =>
      expect(await put(by('editor'), first)).toMatch(/403 .*editor may not take the finalizer .*off/),
    );
    expect(await put(by('breaker'), first)).toBe('taken');
    const [operator, facade] = STATUS_WRITERS;
    expect(await put(admin, await strip('by-facade'), { 'impersonate-user': facade })).toMatch(
      /403 .*may not take the finalizer .*off/,
    );
    expect(await put(admin, await strip('by-operator'), { 'impersonate-user': operator })).toBe('taken');
    // What else is changed of it is nobody's affair here.
    const other = await strip('other');
    const labelled = { ...other, metadata: { ...other.metadata, finalizers: [of.name] } };
    expect(await put(by('editor'), labelled)).toBe('taken');
  });
});

describe('deletion protection', () => {
  const isProtected = { 'dcmarket.io/deletion-protection': 'true' };
  const remove = ({ metadata }: Contract) => contracts.delete(metadata, { uid: metadata.uid });

  test('whoever deletes it is told which annotation to remove, an administrator too', async () => {
    const made = await newContract(contracts, { name: 'protected', namespace });
    const kept = await contracts.update({
      ...made,
      metadata: { ...made.metadata, annotations: isProtected },
    });
    await expect(remove(kept)).rejects.toThrow(
      'protected is protected from deletion: remove its annotation dcmarket.io/deletion-protection first',
    );
    await contracts.update({ ...kept, metadata: { ...kept.metadata, annotations: {} } });
    await remove(kept);
    expect(await contracts.get(kept.metadata)).toBeUndefined();
  });

  test('a contract that has ended may go: it is in the archive', async () => {
    const made = await newContract(contracts, { name: 'protected-ended', namespace });
    const kept = await contracts.update({
      ...made,
      metadata: { ...made.metadata, annotations: isProtected },
    });
    await walkTo(contracts, kept, wayTo('Cancelled'));
    await remove(kept);
    expect(await contracts.get(kept.metadata)).toBeUndefined();
  });
});
