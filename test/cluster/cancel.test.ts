/**
 * A contract is cancelled in every phase, through the API, YAML and `kubectl delete` alike: a real operator and
 * facade, a real agent on a fake hypervisor for each place where it can be caught. It ends Cancelled each time, an
 * agent that is at work stops at its next step, and no machine is left.
 */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { SshProbeError } from '../../agent/ssh-probe.ts';
import { type FakeHypervisor, fakeHypervisor } from '../../agent/testing/fake-hypervisor.ts';
import { uidOfContractId } from '../../crds/contract/contract.ts';
import type { ContractPhase } from '../../crds/contract/phase.ts';
import { GROUP, VERSION } from '../../crds/group.ts';
import { systemClock } from '../../lib/clock.ts';
import { generateKeyPair } from '../../lib/signature/keys.ts';
import { createDatabase, inNamespace, type TestDatabase } from '../world/cluster.ts';
import { type DaemonOptions, startDaemon, stateFolder } from '../world/daemons.ts';
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
} from './api/harness.ts';

let market: Market;
let database: TestDatabase;
let stopOperator: () => Promise<void>;
const hosts: { stop: () => Promise<unknown>; remove: () => void }[] = [];
beforeAll(async () => {
  const namespace = await inNamespace('cancel');
  const kubeconfig = inject('kubeconfig');
  database = await createDatabase();
  stopOperator = startOperator({ kubeconfig, databaseUrl: database.url, namespace });
  market = await openMarket({
    cluster: { kubeconfig, namespace },
    hasOperator: true,
    withDatabase: false,
    environment: { DATABASE_URL: database.url },
  });
  await asProvider('PUT', 'settings/auto-accept', { autoAcceptRentals: false });
});
afterAll(async () => {
  await Promise.all(hosts.map(({ stop }) => stop()));
  for (const { remove } of hosts) remove();
  await stopOperator?.();
  await market?.close();
  await database?.drop();
});

type Host = Readonly<{ offering: string; hypervisor: FakeHypervisor }>;

/** A pool of its own with an agent that runs. */
async function aHost(
  prepare: (hypervisor: FakeHypervisor) => void = () => {},
  more: Partial<DaemonOptions> = {},
): Promise<Host> {
  const pool = await makePool(market);
  const keys = generateKeyPair();
  const token = await makeToken(market, pool);
  const setup = { key: keys, body: { token, agentPubkey: keys.publicKey } };
  const { data } = await market.call('POST', '/api/v1/agents/setup', setup);
  const hypervisor = fakeHypervisor(systemClock, data.installation);
  prepare(hypervisor);
  const state = stateFolder();
  const daemon = startDaemon({
    facade: market.facade,
    providerKey: market.provider.publicKey,
    agent: { keys, uid: data.agentUid },
    installation: data.installation,
    hypervisor,
    stateDir: state.path,
    ...more,
  });
  hosts.push({ stop: daemon.stop, remove: state.remove });
  return { offering: await makeOffering(market, { poolName: pool }), hypervisor };
}

const never = (signal: AbortSignal | undefined): Promise<never> =>
  new Promise((_resolve, reject) =>
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true }),
  );

/** Where the contract is caught, and how one gets it there. */
const PLACES: readonly Readonly<{
  name: string;
  phase: ContractPhase;
  host: () => Promise<Host>;
  /** Once it is in its phase: is it also at the step? */
  isThere?: (host: Host, id: string) => boolean;
  more?: (rented: Rented) => Promise<unknown>;
}>[] = [
  {
    name: 'Requested: the provider has not decided',
    phase: 'Requested',
    host: async () => ({
      offering: await makeOffering(market, { poolName: await makePool(market) }),
      hypervisor: fakeHypervisor(systemClock, 'none'),
    }),
  },
  {
    name: 'Accepted: nobody builds it',
    phase: 'Accepted',
    host: async () => ({
      offering: await makeOffering(market, { poolName: await makePool(market) }),
      hypervisor: fakeHypervisor(systemClock, 'none'),
    }),
  },
  {
    name: 'Provisioning: claimed, before anything is created',
    phase: 'Provisioning',
    host: () =>
      aHost((hypervisor) => {
        const { create } = hypervisor;
        Object.assign(hypervisor, {
          create: async (...[request, options]: Parameters<typeof create>) => {
            await never(options.signal);
            return create(request, options);
          },
        });
      }),
    isThere: ({ hypervisor }) => hypervisor.machines.size === 0,
  },
  {
    name: 'Provisioning: a machine is half made',
    phase: 'Provisioning',
    host: () =>
      aHost((hypervisor) => {
        hypervisor.createMs = 600_000;
      }),
    isThere: ({ hypervisor }, id) => hypervisor.machines.has(`dc-${id}`),
  },
  {
    name: 'Provisioning: the machine is made and does not answer yet',
    phase: 'Provisioning',
    host: () =>
      aHost(undefined, {
        probeSsh: async () => {
          throw new SshProbeError('Refused', 'not yet');
        },
        limits: { sshTimeoutMs: 600_000 },
      }),
    isThere: ({ hypervisor }, id) => hypervisor.machines.get(`dc-${id}`)?.state === 'Running',
  },
  {
    name: 'Provisioned: nobody has seen it yet',
    phase: 'Provisioned',
    host: () =>
      aHost((hypervisor) => {
        const { create } = hypervisor;
        Object.assign(hypervisor, {
          create: async (...args: Parameters<typeof create>) => ({
            ...(await create(...args)),
            host: undefined,
          }),
        });
      }),
  },
  { name: 'Active', phase: 'Active', host: () => aHost() },
  {
    name: 'Paused by the provider',
    phase: 'Paused',
    host: () => aHost(),
    more: async ({ id }) => {
      await until(id, 'Active');
      await asProvider('PUT', `contracts/${id}/pause`);
    },
  },
];

const asProvider = (method: string, path: string, body?: object) =>
  market.call(method, `/api/v1/provider/${path}`, { key: market.provider, body });
const phaseOf = async ({ id, tenant }: Rented): Promise<string | undefined> =>
  (await market.call('GET', `/api/v1/contracts/${id}`, { key: tenant })).data?.phase;
const until = (id: string, phase: ContractPhase): Promise<void> =>
  eventually(async () => (await readContract(market, id)).status?.phase === phase);

const WAYS: Readonly<Record<string, (rented: Rented) => Promise<unknown>>> = {
  API: ({ id, tenant }) =>
    market.call('PUT', `/api/v1/contracts/${id}/cancel`, { key: tenant, body: { note: 'enough' } }),
  YAML: async ({ id }) => {
    const { metadata } = await readContract(market, id);
    return market.kube.raw({
      method: 'PATCH',
      path: `/apis/${GROUP}/${VERSION}/namespaces/${market.namespace}/contracts/${metadata.name}`,
      contentType: 'application/merge-patch+json',
      body: { spec: { cancel: { requested: true } } },
    });
  },
  'kubectl delete': async ({ id }) =>
    market.clients.contracts.delete((await readContract(market, id)).metadata),
};
const REASON: Readonly<Record<string, string>> = {
  API: 'CancelledByTenant',
  YAML: 'CancelledByTenant',
  'kubectl delete': 'Deleted',
};

describe.concurrent.each(PLACES)('$name', ({ phase, host: makeHost, isThere, more }) => {
  test('is cancelled by API, YAML and kubectl delete, and leaves nothing', { timeout: 60_000 }, async () => {
    const host = await makeHost();
    const rented = await Promise.all(Object.keys(WAYS).map(() => rent(market, host.offering)));
    for (const it of rented) {
      await until(it.id, 'Requested');
      if (phase !== 'Requested')
        await asProvider('POST', `rental-requests/${it.id}/respond`, { accept: true });
      await more?.(it);
      await until(it.id, phase);
    }
    await eventually(() => rented.every(({ id }) => isThere?.(host, id) ?? true));
    for (const [at, way] of Object.keys(WAYS).entries()) {
      const it = rented[at];
      if (!it) throw new Error('one for each way');
      const startedMs = systemClock.monotonicMs();
      await WAYS[way]?.(it);
      await eventually(async () => (await phaseOf(it)) === 'Cancelled');
      tookMs.push(systemClock.monotonicMs() - startedMs);
      const { data } = await market.call('GET', `/api/v1/contracts/${it.id}`, { key: it.tenant });
      expect(data).toMatchObject({ phase: 'Cancelled', reason: REASON[way] });
      expect(data.access).toBeUndefined();
      if (way === 'kubectl delete') await eventually(async () => (await live(it.id)) === undefined);
    }
    expect([...host.hypervisor.machines.keys()]).toEqual([]);
    const { ledger } = host.hypervisor;
    const made = ledger.filter((deed) => deed.startsWith('create'));
    expect(ledger.filter((deed) => deed.startsWith('destroy'))).toHaveLength(made.length);
  });
});

const live = async (id: string) => {
  const { items } = await market.clients.contracts.list({ namespace: market.namespace });
  return items.find(({ metadata }) => metadata.uid === uidOfContractId(id));
};
const tookMs: number[] = [];
test('a cancellation takes seconds, wherever it is caught', () => {
  expect(tookMs).toHaveLength(3 * PLACES.length);
  expect(Math.max(...tookMs)).toBeLessThan(8000);
});
