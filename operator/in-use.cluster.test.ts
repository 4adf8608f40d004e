/** What the caches call free is looked up live: an agent that joined a moment ago does not lose its pool. */
import { expect, inject, onTestFinished, test } from 'vitest';
import type { AgentPool } from '../crds/agent-pool.ts';
import { IN_USE_FINALIZER } from '../crds/group.ts';
import { usesOfPool } from '../crds/in-use.ts';
import { createKubeClient } from '../kube/client.ts';
import { inNamespace } from '../test/world/cluster.ts';
import { createClients } from './clients.ts';
import { keepWhileUsed, usersLive } from './in-use.ts';

const never = new AbortController().signal;

async function stage() {
  const namespace = await inNamespace('in-use');
  const client = createKubeClient({ kubeconfig: { file: inject('kubeconfig') } });
  onTestFinished(client.close);
  const clients = createClients(client);
  const ref = { namespace, name: 'p' };
  const spec = { location: 'europe', provisionerType: 'script' } as AgentPool['spec']; // the rest is defaults
  await clients.pools.create({ metadata: ref, spec });
  const live = async (): Promise<AgentPool> => {
    const pool = await clients.pools.get(ref);
    if (!pool) throw new Error('the pool is gone');
    return pool;
  };
  /** With caches that know of nobody. */
  const look = async () => {
    const object = await live();
    return keepWhileUsed({
      resource: clients.pools,
      object,
      uses: () => ({}),
      usesLive: async () => usesOfPool(object, await usersLive(clients, { namespace, signal: never })),
      signal: never,
    });
  };
  return { clients, namespace, ref, live, look };
}

test('the finalizer is put on once, and goes with the last that uses it', async () => {
  const { clients, namespace, ref, live, look } = await stage();
  expect(await look()).toEqual({ next: 'Nothing' });
  expect((await live()).metadata.finalizers).toEqual([IN_USE_FINALIZER]);
  expect(await look()).toEqual({ next: 'Status', uses: undefined });
  const agent = { name: 'a', namespace };
  const spec = { publicKey: 'a'.repeat(64), poolName: 'p' } as Parameters<
    typeof clients.agents.create
  >[0]['spec'];
  await clients.agents.create({ metadata: agent, spec });
  await clients.pools.delete(ref);
  expect(await look()).toMatchObject({ next: 'Status', uses: { agents: ['a'] } });
  await clients.agents.delete(agent);
  expect(await look()).toEqual({ next: 'Nothing' });
  expect(await clients.pools.get(ref)).toBeUndefined();
});

test("what somebody else's finalizer holds is not ours to keep", async () => {
  const { clients, ref, live, look } = await stage();
  const pool = await live();
  await clients.pools.update({ ...pool, metadata: { ...pool.metadata, finalizers: ['example.com/other'] } });
  await clients.pools.delete(ref);
  expect(await look()).toEqual({ next: 'Nothing' });
  expect((await live()).metadata.finalizers).toEqual(['example.com/other']);
});
