/** The proxy shows a client exactly the fault that was asked for, and the API server what really happened. */
import { afterEach, expect, inject, test } from 'vitest';
import { createKubeClient } from '../../../kube/client.ts';
import type { KubeObject } from '../../../kube/object.ts';
import type { ResourceType } from '../../../kube/resource.ts';
import { inNamespace } from '../../world/cluster.ts';
import { type ApiServerProxy, type Fault, openApiServerProxy } from './api-server.ts';
import { type Exchange, exchangeOf } from './exchange.ts';

const CONFIG_MAP: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

type ConfigMap = KubeObject & { data?: Record<string, string> };

async function stage() {
  const proxy = await openApiServerProxy(inject('kubeconfig'));
  const near = createKubeClient({ kubeconfig: { text: proxy.kubeconfigText }, userAgent: 'near' });
  const direct = createKubeClient({ kubeconfig: { file: inject('kubeconfig') } });
  closing.push(proxy.close, near.close, direct.close);
  const namespace = await inNamespace('proxy');
  const make = (name: string): ConfigMap => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace },
  });
  return {
    proxy,
    namespace,
    make,
    near: near.resource<ConfigMap>(CONFIG_MAP),
    direct: direct.resource<ConfigMap>(CONFIG_MAP),
  };
}

const onCreate = (proxy: ApiServerProxy, fault: Fault): void =>
  proxy.decide((exchange) => (exchange.verb === 'create' ? fault : { type: 'Pass' }));

test.each<{ fault: Fault; error: object; exists: boolean }>([
  { fault: { type: 'Refuse' }, error: { status: 0, reason: 'ConnectionLost' }, exists: false },
  { fault: { type: 'Answer', status: 503 }, error: { status: 503 }, exists: false },
  { fault: { type: 'LoseReply' }, error: { status: 0, reason: 'ConnectionLost' }, exists: true },
  { fault: { type: 'AnswerAfterCommit', status: 504 }, error: { status: 504 }, exists: true },
  { fault: { type: 'AfterCommit', run: async () => {}, reply: 'Lose' }, error: { status: 0 }, exists: true },
])(
  '$fault.type: the client sees an error, and the object exists: $exists',
  async ({ fault, error, exists }) => {
    const { proxy, near, direct, make, namespace } = await stage();
    onCreate(proxy, fault);
    await expect(near.create(make('one'))).rejects.toMatchObject(error);
    expect((await direct.list({ namespace })).items.map(({ metadata }) => metadata.name)).toEqual([
      ...(exists ? ['kube-root-ca.crt', 'one'].filter((name) => name === 'one') : []),
    ]);
  },
);

test('an older list is what the API server knew then', async () => {
  const { proxy, near, direct, make, namespace } = await stage();
  await direct.create(make('early'));
  await near.list({ namespace });
  await direct.create(make('late'));
  proxy.decide(() => ({ type: 'StaleList' }));
  expect((await near.list({ namespace })).items.map(({ metadata }) => metadata.name)).toEqual(['early']);
});

test.each(['Cut', 'Gone'] as const)('a watch that is broken after two events: %s', async (then) => {
  const { proxy, near, direct, make, namespace } = await stage();
  const { resourceVersion } = await near.list({ namespace });
  proxy.decide(({ verb }) => (verb === 'watch' ? { type: 'Watch', after: 2, then } : { type: 'Pass' }));
  for (const name of ['a', 'b', 'c']) await direct.create(make(name));
  const seen: string[] = [];
  const watching = async (): Promise<void> => {
    for await (const event of near.watch({ namespace, resourceVersion }))
      if (event.type === 'ADDED') seen.push(event.object.metadata.name);
  };
  await expect(watching()).rejects.toMatchObject(
    then === 'Gone' ? { status: 410 } : { reason: 'ConnectionLost' },
  );
  expect(seen).toEqual(['a', 'b']);
});

test('a stalled watch stays open and says nothing', async () => {
  const { proxy, near, direct, make, namespace } = await stage();
  const { resourceVersion } = await near.list({ namespace });
  proxy.decide(({ verb }) =>
    verb === 'watch' ? { type: 'Watch', after: 1, then: 'Stall' } : { type: 'Pass' },
  );
  for (const name of ['a', 'b']) await direct.create(make(name));
  const seen: string[] = [];
  const watching = async (): Promise<void> => {
    for await (const event of near.watch({ namespace, resourceVersion, stallMs: 1000 }))
      if (event.type === 'ADDED') seen.push(event.object.metadata.name);
  };
  await expect(watching()).rejects.toMatchObject({ reason: 'Stalled' });
  expect(seen).toEqual(['a']);
});

test.each<[string, string, Partial<Exchange>]>([
  ['GET', '/readyz', { verb: 'get', resource: '/readyz' }],
  ['GET', '/api/v1/namespaces/n', { verb: 'get', resource: 'namespaces', name: 'n' }],
  ['GET', '/apis/g/v1/contracts?limit=500', { verb: 'list', resource: 'contracts' }],
  ['GET', '/apis/g/v1/contracts?watch=true', { verb: 'watch', resource: 'contracts' }],
  [
    'PUT',
    '/apis/g/v1/namespaces/n/contracts/c/status',
    {
      verb: 'update',
      resource: 'contracts',
      subresource: 'status',
      namespace: 'n',
      name: 'c',
      isWrite: true,
    },
  ],
])('%s %s', (method, path, expected) => {
  expect(exchangeOf({ n: 1, client: '', method, path })).toMatchObject(expected);
});
