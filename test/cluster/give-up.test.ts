/**
 * Giving up, with a real operator, API server and PostgreSQL: a contract that failed is an Event, a metric and a
 * row; its provider retries it through kubectl; a holder that never confirms goes by force.
 */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Agent } from '../../crds/agent.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import { GIVE_UP_REASONS } from '../../crds/contract/give-up.ts';
import type { Attempt, ContractStatus } from '../../crds/contract/status.ts';
import { expireLock, terminate } from '../../crds/contract/steps.ts';
import type { Offering } from '../../crds/offering.ts';
import { freePort } from '../../dev/processes/ports.ts';
import { createKubeClient, type KubeClient } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/object.ts';
import { systemClock } from '../../lib/clock.ts';
import { createLogger } from '../../lib/log.ts';
import { runOperator } from '../../operator/run.ts';
import { createStore, type Store } from '../../store/store.ts';
import { createDatabase, inNamespace, type TestDatabase } from '../world/cluster.ts';
import { eventually } from '../world/eventually.ts';
import { resourceOf } from '../world/market.ts';
import { EXAMPLES } from './examples.ts';

let client: KubeClient;
let namespace: string;
let database: TestDatabase;
let store: Store;
let running: Promise<void>;
let metricsPort: number;
const stop = new AbortController();
const log = createLogger({ name: 'operator', level: 'silent' });

beforeAll(async () => {
  client = createKubeClient({ kubeconfig: { file: inject('kubeconfig') } });
  namespace = await inNamespace('give-up');
  database = await createDatabase();
  store = createStore({ databaseUrl: database.url, clock: systemClock, log });
  metricsPort = await freePort();
  running = runOperator({
    config: {
      KUBECONFIG: inject('kubeconfig'),
      DATABASE_URL: database.url,
      METRICS_PORT: metricsPort,
      METRICS_HOST: '127.0.0.1',
      LEASE_NAMESPACE: namespace,
      LEASE_DURATION_SECONDS: 15,
      LEASE_RENEW_DEADLINE_SECONDS: 10,
      LEASE_RETRY_SECONDS: 2,
      WATCH_NAMESPACE: namespace,
      LOG_LEVEL: 'silent',
    },
    log,
    clock: systemClock,
    identity: 'test',
    signal: stop.signal,
  });
  running.catch(() => undefined);
  await make('Provider', namespace, { namespace, publicKey: '7'.repeat(64) });
  await make('AgentPool', 'europe-script');
  await make('Agent', 'node-1');
  await make('Offering', 'hello', { stock: 1 });
});
afterAll(async () => {
  stop.abort(new Error('the test is over'));
  await running;
  await store.close();
  await client.close();
  await database.drop();
});

const make = <T extends KubeObject>(kind: string, name: string, spec: object = {}) =>
  resourceOf<T>(client, kind).create({
    ...EXAMPLES[kind],
    metadata: kind === 'Provider' ? { name } : { name, namespace },
    spec: { ...EXAMPLES[kind]?.spec, ...spec },
  } as unknown as T); // the example, as a person writes it
const contracts = () => resourceOf<Contract>(client, 'Contract');
const get = async (name: string): Promise<Contract> => {
  const found = await contracts().get({ namespace, name });
  if (!found) throw new Error(`there is no ${name}`);
  return found;
};
const seen = (name: string, phase: string) =>
  eventually(async () => {
    const contract = await get(name);
    expect(contract.status, JSON.stringify(contract.status?.history)).toMatchObject({ phase });
    return contract;
  });
/** As facade and agents would leave it; again when the operator was faster. */
const leave = (name: string, change: (contract: Contract & { status: ContractStatus }) => ContractStatus) =>
  eventually(async () => {
    const contract = await get(name);
    const status = change(contract as Contract & { status: ContractStatus }); // the operator has seen it
    await contracts().updateStatus({ ...contract, status });
  });
const patch = (name: string, spec: object) =>
  client.raw({
    method: 'PATCH',
    path: `/apis/dcmarket.io/v1alpha1/namespaces/${namespace}/contracts/${name}`,
    contentType: 'application/merge-patch+json',
    body: { spec },
  });
const reserved = async () =>
  (await resourceOf<Offering>(client, 'Offering').get({ namespace, name: 'hello' }))?.status?.reserved ?? [];
const metric = async (reason: string): Promise<string | undefined> => {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  return new RegExp(`^dcmarket_contracts_given_up_total\\{reason="${reason}"\\} (\\d+)$`, 'm').exec(
    text,
  )?.[1];
};
const eventsOf = async (name: string): Promise<string[]> => {
  const { body } = await client.raw({
    method: 'GET',
    path: `/apis/events.k8s.io/v1/namespaces/${namespace}/events`,
  });
  const { items } = body as {
    items: { reason: string; type: string; note: string; regarding: { name: string } }[];
  };
  return items
    .filter(({ regarding }) => regarding.name === name)
    .map(({ type, reason, note }) => `${type} ${reason}: ${note}`);
};

const attempt = (epoch: number): Attempt => ({
  agent: 'node-1',
  agentUID: '0b7c9d6e-1111-4222-8333-944445555666',
  epoch,
  startedAt: new Date().toISOString(),
  endedAt: new Date().toISOString(),
  outcome: 'Failed',
  class: 'transient',
  message: 'the disk is full',
});

test('the metric begins at 0 for every reason', () =>
  eventually(async () => {
    for (const reason of GIVE_UP_REASONS) expect(await metric(reason)).toBe('0');
  }));

test('a contract that fails is an Event, a metric and a row; its provider retries it with kubectl patch', async () => {
  const made = await make<Contract>('Contract', 'failing');
  const uid = made.metadata.uid ?? '';
  await seen('failing', 'Accepted');
  expect(await reserved()).toEqual([uid]);
  await leave('failing', ({ status }) => ({
    ...status,
    epoch: 3,
    failures: 3,
    attempts: [attempt(1), attempt(2), attempt(3)],
  }));
  const failed = await seen('failing', 'Failed');
  expect(failed.status).toMatchObject({
    reason: 'AttemptsExhausted',
    message: 'All 3 tries to build it failed',
  });
  await eventually(async () => {
    expect(await metric('AttemptsExhausted')).toBe('1');
    expect(await eventsOf('failing')).toContain('Warning AttemptsExhausted: All 3 tries to build it failed');
    expect(await store.deadLetters.get(uid)).toMatchObject([
      { reason: 'AttemptsExhausted', by: 'operator', namespace, name: 'failing', attempts: [{}, {}, {}] },
    ]);
    expect(await store.attempts.get(uid)).toHaveLength(3);
    expect(await reserved()).toEqual([]);
  });
  expect(await store.archive.get(uid)).toBeUndefined(); // it may still be retried

  const rival = await make<Contract>('Contract', 'rival');
  await seen('rival', 'Accepted');
  await patch('failing', { retry: 1 });
  await eventually(async () =>
    expect((await get('failing')).status?.conditions).toContainEqual(
      expect.objectContaining({ type: 'Retried', status: 'False', reason: 'OutOfStock' }),
    ),
  );
  expect(await reserved()).toEqual([rival.metadata.uid]);
  await contracts().delete({ namespace, name: 'rival' });
  const retried = await seen('failing', 'Accepted');
  expect(retried.status).toMatchObject({ failures: 0, retried: 1, epoch: 4, attemptsFrom: 4 });
  expect(await reserved()).toEqual([uid]);
  await patch('failing', { cancel: { requested: true } });
  await seen('failing', 'Cancelled');
});

test('a holder that never confirms goes by force: its name is kept, its agent owes, the contract ends', async () => {
  const agent = await resourceOf<Agent>(client, 'Agent').get({ namespace, name: 'node-1' });
  const agentUID = agent?.metadata.uid ?? '';
  const made = await make<Contract>('Contract', 'burnt');
  const uid = made.metadata.uid ?? '';
  await seen('burnt', 'Accepted');
  const now = new Date();
  const at = now.toISOString();
  const lock = { agent: 'node-1', agentUID, session: 'session-1', epoch: 1, acquiredAt: at, renewedAt: at };
  const expiresAt = new Date(now.getTime() + 60_000).toISOString();
  await leave('burnt', ({ status }) => ({
    ...status,
    phase: 'Provisioning',
    epoch: 1,
    lock: { ...lock, expiresAt },
    holders: [{ agent: 'node-1', agentUID, epoch: 1 }],
  }));
  await leave('burnt', (contract) => expireLock(contract, { now }));
  await leave('burnt', ({ status }) =>
    terminate(status, { reason: 'DeadlineExceeded', message: 'It could not be built in time', now }),
  );
  await patch('burnt', {
    forceRelease: [{ agentUID, epoch: 1, by: 'admin', reason: 'the host burnt down' }],
  });
  const ended = await seen('burnt', 'Failed');
  expect(ended.status?.abandoned).toMatchObject([
    { agent: 'node-1', agentUID, epoch: 1, how: 'Forced', by: 'admin', reason: 'the host burnt down' },
  ]);
  await eventually(async () => {
    const owing = await resourceOf<Agent>(client, 'Agent').get({ namespace, name: 'node-1' });
    expect(owing?.status?.owedDestroys).toMatchObject([{ contractUID: uid, epoch: 1 }]);
    expect(await metric('ForceReleased')).toBe('1');
    expect(await metric('DeadlineExceeded')).toBe('1');
    expect((await store.deadLetters.get(uid)).map(({ reason, by }) => `${reason} by ${by}`).sort()).toEqual([
      'DeadlineExceeded by operator',
      'ForceReleased by admin',
    ]);
    expect((await eventsOf('burnt')).join('\n')).toMatch(/Warning ForceReleased: .*the host burnt down/);
  });
});
