/**
 * Every wish, by the API and by YAML, with a real facade, operator and agent: it reaches the machine within a
 * second, is carried out once although the agent is stopped at it and started again, and is confirmed in status.
 * An agent that is killed at it, at every point: `test/faults/crash`.
 */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type FakeHypervisor, fakeHypervisor } from '../../agent/testing/fake-hypervisor.ts';
import type { ContractSpec } from '../../crds/contract/spec.ts';
import { sshKeysSHA256 } from '../../crds/contract/ssh-keys.ts';
import type { Applied, ContractStatus } from '../../crds/contract/status.ts';
import { GROUP, VERSION } from '../../crds/group.ts';
import { systemClock } from '../../lib/clock.ts';
import { generateKeyPair } from '../../lib/signature/keys.ts';
import { createDatabase, inNamespace, type TestDatabase } from '../world/cluster.ts';
import { type Daemon, startDaemon, stateFolder } from '../world/daemons.ts';
import { startOperator } from '../world/operator.ts';
import {
  eventually,
  type Market,
  makeOffering,
  makePool,
  makeToken,
  openMarket,
  type Rented,
  readContract,
  rent,
  SSH_KEY,
} from './api/harness.ts';

const HOUR_MS = 3_600_000;
const ROUNDS = 4;
const MACHINES = 3;
const OTHER_KEY = SSH_KEY.replace(' test', ' other');

let market: Market;
let database: TestDatabase;
let stopOperator: () => Promise<void>;
let hypervisor: FakeHypervisor;
let start: () => Daemon;
let daemon: Daemon;
const state = stateFolder();
beforeAll(async () => {
  const namespace = await inNamespace('wishes');
  const kubeconfig = inject('kubeconfig');
  database = await createDatabase();
  stopOperator = startOperator({ kubeconfig, databaseUrl: database.url, namespace });
  const environment = { DATABASE_URL: database.url };
  const cluster = { kubeconfig, namespace };
  market = await openMarket({ cluster, hasOperator: true, withDatabase: false, environment });
  const keys = generateKeyPair();
  const token = await makeToken(market, await makePool(market));
  const setup = { key: keys, body: { token, agentPubkey: keys.publicKey } };
  const { data } = await market.call('POST', '/api/v1/agents/setup', setup);
  hypervisor = fakeHypervisor(systemClock, data.installation);
  start = () =>
    startDaemon({
      facade: market.facade,
      providerKey: market.provider.publicKey,
      agent: { keys, uid: data.agentUid },
      installation: data.installation,
      hypervisor,
      stateDir: state.path,
    });
  daemon = start();
});
afterAll(async () => {
  await daemon?.stop();
  state.remove();
  await stopOperator?.();
  await market?.close();
  await database?.drop();
});

type Wish = Readonly<{
  what: string;
  /** The same through the API and as a patch of spec. */
  api: readonly [method: string, path: string, body?: object];
  yaml: (spec: ContractSpec) => Partial<ContractSpec>;
  /** What status says of it once it was done, from the spec that wished it. */
  done: (spec: ContractSpec) => Applied;
}>;

const keysWish = (keys: string[]): Wish => ({
  what: `keys ${keys.length}`,
  api: ['PUT', 'ssh-keys', { sshPublicKeys: keys }],
  yaml: () => ({ sshPublicKeys: keys }),
  done: ({ sshPublicKeys }) => ({ sshKeysSHA256: sshKeysSHA256(sshPublicKeys) }),
});
const power = (action: 'Start' | 'Stop', powerState: 'Running' | 'Stopped'): Wish => ({
  what: action,
  api: ['POST', 'power', { action }],
  yaml: () => ({ powerState }),
  done: () => ({ powerState }),
});
const counter = (what: string, field: 'restart' | 'reinstall' | 'passwordReset', api: Wish['api']): Wish => ({
  what,
  api,
  yaml: (spec) => ({ [field]: spec[field] + 1 }),
  done: (spec) => ({ [field]: spec[field] }),
});
const WISHES: readonly Wish[] = [
  counter('restart', 'restart', ['POST', 'power', { action: 'Restart' }]),
  counter('reinstall', 'reinstall', ['POST', 'reinstall']),
  counter('password', 'passwordReset', ['POST', 'reset-password']),
  keysWish([SSH_KEY, OTHER_KEY]),
  keysWish([SSH_KEY]),
  power('Stop', 'Stopped'),
  power('Start', 'Running'),
];

async function patch(id: string, spec: Partial<ContractSpec>): Promise<void> {
  const { metadata } = await readContract(market, id);
  await market.kube.raw({
    method: 'PATCH',
    path: `/apis/${GROUP}/${VERSION}/namespaces/${market.namespace}/contracts/${metadata.name}`,
    contentType: 'application/merge-patch+json',
    body: { spec },
  });
}

/** Milliseconds from the wish to its confirmation in status, as its tenant reads it. */
async function carriedOut({ id, tenant }: Rented, wish: Wish, way: 'API' | 'YAML'): Promise<number> {
  const before = await readContract(market, id);
  const startedMs = systemClock.monotonicMs();
  const [method, path, body] = wish.api;
  if (way === 'API')
    expect((await market.call(method, `/api/v1/contracts/${id}/${path}`, { key: tenant, body })).status).toBe(
      200,
    );
  else await patch(id, wish.yaml(before.spec));
  for (;;) {
    const { spec, status } = await readContract(market, id);
    const { applied = {} } = status ?? {};
    const isDone = Object.entries(wish.done(spec)).every(
      ([key, value]) => applied[key as keyof Applied] === value,
    );
    if (isDone) return systemClock.monotonicMs() - startedMs;
    expect(systemClock.monotonicMs() - startedMs, wish.what).toBeLessThan(10_000);
    await systemClock.sleep(5);
  }
}

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

test('within a second, once, confirmed: by API and YAML alike', { timeout: 120_000 }, async () => {
  const offering = await makeOffering(market);
  const rented = await Promise.all(Array.from({ length: MACHINES }, () => rent(market, offering)));
  for (const { id } of rented)
    await eventually(async () => (await readContract(market, id)).status?.phase === 'Active');
  const ledgerBefore = hypervisor.ledger.length;
  const tookMs: number[] = [];
  await Promise.all(
    rented.map(async (machine) => {
      for (let round = 0; round < ROUNDS; round++)
        for (const wish of WISHES)
          tookMs.push(await carriedOut(machine, wish, round % 2 === 0 ? 'API' : 'YAML'));
    }),
  );
  const sorted = tookMs.toSorted((a, b) => a - b);
  const figures = { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99), of: sorted.length };
  expect(figures.p99, JSON.stringify(figures)).toBeLessThan(1000);

  const deeds = hypervisor.ledger.slice(ledgerBefore);
  const times = (deed: string): number => deeds.filter((it) => it.startsWith(deed)).length;
  const each = ROUNDS * MACHINES;
  // A restart is a stop and a start; a re-installation stops and starts by itself.
  expect({ reinstall: times('reinstall'), password: times('password'), keys: times('keys') }).toEqual({
    reinstall: each,
    password: each,
    keys: 2 * each,
  });
  expect([times('stop'), times('start')]).toEqual([3 * each, 3 * each]);
});

test('by kubectl patch: paused and resumed by the provider, with the time credited, and made longer', async () => {
  const { id } = await rent(market, await makeOffering(market));
  const until = (isSo: (status: ContractStatus) => boolean): Promise<void> =>
    eventually(async () => {
      const { status } = await readContract(market, id);
      return status !== undefined && isSo(status);
    });
  const hours = async (): Promise<number> => {
    const { status } = await readContract(market, id);
    const { startsAt = '', endsAt = '', pausedMs = 0 } = status ?? {};
    return (Date.parse(endsAt) - Date.parse(startsAt) - pausedMs) / HOUR_MS;
  };
  await until(({ phase }) => phase === 'Active');
  const ordered = await hours();
  const ledgerBefore = hypervisor.ledger.length;
  await patch(id, { pause: { requested: true, reason: 'abuse report 17' } });
  await until(({ phase, applied }) => phase === 'Paused' && applied?.powerState === 'Stopped');
  expect((await readContract(market, id)).status).toMatchObject({ reason: 'PausedByProvider' });
  await patch(id, { pause: { requested: false } });
  await until(({ phase, applied }) => phase === 'Active' && applied?.powerState === 'Running');
  const { status } = await readContract(market, id);
  expect(status?.pausedMs).toBeGreaterThan(0);
  expect(await hours()).toBeCloseTo(ordered, 5);
  expect(hypervisor.ledger.slice(ledgerBefore).map((deed) => deed.split(' ')[0])).toEqual(['stop', 'start']);

  await patch(id, { durationHours: ordered + 5 });
  await eventually(async () => Math.abs((await hours()) - ordered - 5) < 1e-6);
});

test('an agent that is replaced while it carries a wish out does not carry it out again', async () => {
  const rented = await rent(market, await makeOffering(market));
  await eventually(async () => (await readContract(market, rented.id)).status?.phase === 'Active');
  const ledgerBefore = hypervisor.ledger.length;
  for (const field of ['restart', 'passwordReset'] as const) {
    hypervisor.stopMs = 200;
    await patch(rented.id, { [field]: 1 });
    await systemClock.sleep(100);
    await daemon.stop();
    daemon = start();
    await eventually(
      async () => (await readContract(market, rented.id)).status?.applied?.[field] === 1,
      30_000,
    );
  }
  const deeds = hypervisor.ledger.slice(ledgerBefore);
  expect(deeds.filter((deed) => /^(stop|password)/.test(deed))).toHaveLength(2);
});
