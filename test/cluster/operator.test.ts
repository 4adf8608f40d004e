/** The operator as a process-wide whole against a real API server: what it writes, and what it leaves alone. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkRental } from '../../api/contracts/check-rental.ts';
import type { Agent } from '../../crds/agent.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import { contractDefinition } from '../../crds/contract/definition.ts';
import { snapshotTerms } from '../../crds/contract/terms.ts';
import { FINALIZER, GROUP, LABEL, VERSION } from '../../crds/group.ts';
import type { Offering } from '../../crds/offering.ts';
import type { Provider } from '../../crds/provider.ts';
import { RESOURCES } from '../../crds/resources.ts';
import { createKubeClient, type KubeClient } from '../../kube/client.ts';
import { EVENTS } from '../../kube/events.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { ResourceClient } from '../../kube/resource.ts';
import { systemClock } from '../../lib/clock.ts';
import { createLogger } from '../../lib/log.ts';
import { readConfig } from '../../operator/config.ts';
import { runOperator } from '../../operator/run.ts';
import { createDatabase, type TestDatabase } from '../world/cluster.ts';
import { eventually } from '../world/eventually.ts';
import { openWorld, type World } from '../world/world.ts';
import { EXAMPLES } from './examples.ts';

/** A cluster of its own: an operator works on every namespace, also on those of the files that run beside this one. */
let world: World;
let client: KubeClient;
const namespace = 'operator';
let database: TestDatabase;
let running: Promise<void>;
const stop = new AbortController();

beforeAll(async () => {
  world = await openWorld();
  const { kubeconfig } = await world.startControlPlane();
  client = createKubeClient({ kubeconfig: { file: kubeconfig } });
  await client.raw({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: namespace } } });
  database = await createDatabase();
  running = runOperator({
    config: readConfig({
      KUBECONFIG: kubeconfig,
      DATABASE_URL: database.url,
      METRICS_PORT: '0',
      METRICS_HOST: '127.0.0.1',
      LEASE_NAMESPACE: namespace,
      LOG_LEVEL: 'silent',
    }),
    log: createLogger({ name: 'operator', level: 'silent' }),
    clock: systemClock,
    identity: 'test',
    signal: stop.signal,
  });
  running.catch(() => undefined);
});
afterAll(async () => {
  stop.abort(new Error('the test is over'));
  await running;
  await client.close();
  await database.drop();
  await world.close();
});

function of<T extends KubeObject>(kind: string): ResourceClient<T> {
  const { plural, scope } = RESOURCES.find((entry) => entry.kind === kind) ?? contractDefinition;
  return client.resource<T>({
    group: GROUP,
    version: VERSION,
    plural,
    kind,
    namespaced: scope === 'Namespaced',
  });
}
const make = <T extends KubeObject>(kind: string, name: string, spec: object = {}) =>
  of<T>(kind).create({
    ...EXAMPLES[kind],
    metadata: { name, namespace },
    spec: { ...EXAMPLES[kind]?.spec, ...spec },
  } as unknown as T);
const seen = (name: string, phase: string) =>
  eventually(async () => {
    const contract = await of<Contract>('Contract').get({ namespace, name });
    expect(contract?.status, JSON.stringify(contract?.status?.history)).toMatchObject({ phase });
    return contract as Contract;
  });

test('objects applied in any order converge: contract first, provider last', async () => {
  await make('Contract', 'early');
  expect((await seen('early', 'Requested')).status?.reason).toBe('ProviderNotReady');
  await make('Offering', 'hello');
  await make('AgentPool', 'europe-script');
  await of('Provider').create({
    ...EXAMPLES['Provider'],
    metadata: { name: namespace },
    spec: { ...EXAMPLES['Provider']?.spec, namespace },
  } as unknown as KubeObject);
  const contract = await seen('early', 'Accepted');
  expect(contract.metadata.finalizers).toEqual([FINALIZER]);
  expect(contract.metadata.labels?.[LABEL.tenant]).toBe(contract.spec.tenant.publicKey.slice(0, 63));
  expect(contract.spec).toMatchObject({
    durationHours: 720,
    termsSnapshot: { region: 'europe', provisionerType: 'script' },
  });
  expect(contract.status?.observedGeneration).toBe(contract.metadata.generation);
  // Accepted before the pool was heard of, it says NoPool, and other reasons are told 30 s after the last ones.
  await eventually(async () => expect((await seen('early', 'Accepted')).status?.reason).toBe('NoAgent'), {
    withinMs: 45_000,
  });
});

const instanceConfigSchema = { properties: { image: { enum: ['debian'] } }, additionalProperties: false };
const price = { amountMinor: 500, currency: 'EUR', per: 'Month' };
test.each([
  ['too-long', 'Rejected', 'DurationNotAllowed', {}, { durationHours: 9000 }],
  ['unfit', 'Rejected', 'InstanceConfigInvalid', { instanceConfigSchema }, { instanceConfig: { x: 1 } }],
  ['priced', 'Requested', 'PaymentUnavailable', { price }, {}],
  ['sold-out', 'Requested', 'OutOfStock', { stock: 0 }, {}],
])('%s: %s with %s, in the words of the facade', async (name, phase, reason, offered, asked) => {
  const offering = await make<Offering>('Offering', name, offered);
  await make('Contract', name, { offering: { name }, ...asked });
  const contract = await eventually(async () => {
    const found = await seen(name, phase);
    expect(found.status).toMatchObject({ reason });
    return found;
  });
  const provider = await of<Provider>('Provider').get({ name: namespace });
  const termsSnapshot = provider && snapshotTerms(offering, { provider, recipe: undefined });
  if (!termsSnapshot) throw new Error('they are there');
  const order = { contract: { spec: { ...contract.spec, termsSnapshot } }, offering, provider };
  const message = `${contract.status?.message}`.replace(/; it starts .*$/, ''); // who waits hears until when
  expect(() => checkRental(order)).toThrow(expect.objectContaining({ message }));
});

test('a second provider of the namespace is NamespaceTaken', async () => {
  const other = {
    ...EXAMPLES['Provider'],
    metadata: { name: `${namespace}-2` },
    spec: { ...EXAMPLES['Provider']?.spec, publicKey: 'a'.repeat(64), namespace },
  };
  await of('Provider').create(other as unknown as KubeObject);
  await eventually(async () => {
    const provider = await of<KubeObject & { status?: object }>('Provider').get({ name: `${namespace}-2` });
    expect(provider?.status).toMatchObject({
      conditions: [
        { type: 'Ready', status: 'False', reason: 'NamespaceTaken' },
        { type: 'Stalled', status: 'True', reason: 'NamespaceTaken' },
      ],
    });
  });
});

test('cancelled before anybody built it, it ends, is archived, and leaves with kubectl delete', async () => {
  await make('Contract', 'cancelled');
  const accepted = await seen('cancelled', 'Accepted');
  await of<Contract>('Contract').patch(accepted.metadata, {
    type: 'Merge',
    body: { spec: { cancel: { requested: true } } },
  });
  await eventually(async () =>
    expect((await seen('cancelled', 'Cancelled')).status?.conditions).toContainEqual(
      expect.objectContaining({ type: 'Archived', status: 'True' }),
    ),
  );
  await of<Contract>('Contract').delete({ namespace, name: 'cancelled' });
  await eventually(async () =>
    expect(await of('Contract').get({ namespace, name: 'cancelled' })).toBeUndefined(),
  );
});

test('finite stock: the last unit is sold once, and sold again when it is given back', async () => {
  await make('Offering', 'one', { stock: 1 });
  await Promise.all([1, 2, 3].map((n) => make('Contract', `stock-${n}`, { offering: { name: 'one' } })));
  const phases = () =>
    Promise.all(
      [1, 2, 3].map(
        async (n) => (await of<Contract>('Contract').get({ namespace, name: `stock-${n}` }))?.status?.phase,
      ),
    );
  await eventually(async () =>
    expect((await phases()).sort()).toEqual(['Accepted', 'Requested', 'Requested']),
  );
  const winner = 1 + (await phases()).indexOf('Accepted');
  await of<Contract>('Contract').delete({ namespace, name: `stock-${winner}` });
  await eventually(async () =>
    expect((await phases()).filter((phase) => phase === 'Accepted')).toHaveLength(1),
  );
});

test("a lock that nobody renews expires after its TTL by the operator's clock; the epoch and the holder stay", async () => {
  await make('Contract', 'locked');
  await seen('locked', 'Accepted');
  const agent = await make<Agent>('Agent', 'node-1');
  const [at, uid] = [new Date(), agent.metadata.uid ?? ''];
  const lock = {
    agent: 'node-1',
    agentUID: uid,
    session: 'session-1',
    epoch: 1,
    acquiredAt: at.toISOString(),
    renewedAt: at.toISOString(),
    expiresAt: new Date(at.getTime() + 2000).toISOString(),
  };
  const holders = [{ agent: 'node-1', agentUID: uid, epoch: 1 }];
  // Again when the operator wrote in between: it still says why the contract waits.
  await eventually(async () => {
    const accepted = await seen('locked', 'Accepted');
    await of<Contract>('Contract').updateStatus({
      ...accepted,
      status: { ...accepted.status, phase: 'Provisioning', epoch: 1, lock, holders },
    } as Contract);
  });
  const freed = await seen('locked', 'Accepted');
  expect(Date.now() - at.getTime()).toBeGreaterThanOrEqual(2000);
  expect(freed.status).toMatchObject({
    epoch: 1,
    holders,
    failures: 1,
    attempts: [{ outcome: 'Expired' }],
  });
  // Its reason is why it waits now: nobody else is there.
  expect(freed.status?.history).toContainEqual(expect.objectContaining({ reason: 'LockExpired' }));
});

test('once converged nothing is written', async () => {
  await make('Contract', 'quiet');
  await seen('quiet', 'Accepted');
  await systemClock.sleep(500);
  const version = async () =>
    (await of('Contract').get({ namespace, name: 'quiet' }))?.metadata.resourceVersion;
  const before = await version();
  await systemClock.sleep(1500);
  expect(await version()).toBe(before);
});

test('a stop writes the Events that are still queued', async () => {
  const names = Array.from({ length: 130 }, (_, n) => `event-${n}`); // more than the recorder writes at once
  await Promise.all(names.map((name) => make('Contract', name)));
  await Promise.all(names.map((name) => seen(name, 'Accepted')));
  await systemClock.sleep(300); // the operator has heard of its last write
  stop.abort(new Error('the test stops the operator'));
  await running;
  const { items } = await client
    .resource<KubeObject & { regarding?: { name?: string } }>(EVENTS)
    .list({ namespace });
  const told = new Set(items.map(({ regarding }) => regarding?.name));
  expect(names.filter((name) => !told.has(name))).toEqual([]);
});
