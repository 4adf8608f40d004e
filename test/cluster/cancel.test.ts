/**
 * A contract is cancelled in every phase, by its tenant and its provider, through the API, YAML and `kubectl delete`
 * alike: a real operator and facade, a real agent on a fake hypervisor for each place where it can be caught. It ends
 * Cancelled each time, an agent that is at work stops at its next step, and no machine is left.
 */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { uidOfContractId } from '../../crds/contract/contract.ts';
import type { ContractSpec } from '../../crds/contract/spec.ts';
import { systemClock } from '../../lib/clock.ts';
import { createDatabase, inNamespace, type TestDatabase } from '../world/cluster.ts';
import { startOperator } from '../world/operator.ts';
import { eventually, type Market, openMarket, type Rented, readContract, rent } from './api/harness.ts';
import { type Kept, PLACES, untilPhase } from './cancel-places.ts';

let market: Market;
let database: TestDatabase;
let stopOperator: () => Promise<void>;
const hosts: Kept[] = [];
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

const asProvider = (method: string, path: string, body?: object) =>
  market.call(method, `/api/v1/provider/${path}`, { key: market.provider, body });
const phaseOf = async ({ id, tenant }: Rented): Promise<string | undefined> =>
  (await market.call('GET', `/api/v1/contracts/${id}`, { key: tenant })).data?.phase;

const patch = async (id: string, cancel: ContractSpec['cancel']): Promise<unknown> =>
  market.clients.contracts.patch((await readContract(market, id)).metadata, {
    type: 'Merge',
    body: { spec: { cancel } },
  });
type Way = Readonly<{ reason: string; cancel: (rented: Rented) => Promise<unknown> }>;
const WAYS: Readonly<Record<string, Way>> = {
  API: {
    reason: 'CancelledByTenant',
    cancel: ({ id, tenant }) =>
      market.call('PUT', `/api/v1/contracts/${id}/cancel`, { key: tenant, body: { note: 'enough' } }),
  },
  YAML: { reason: 'CancelledByTenant', cancel: ({ id }) => patch(id, { requested: true }) },
  'kubectl delete': {
    reason: 'Deleted',
    cancel: async ({ id }) => market.clients.contracts.delete((await readContract(market, id)).metadata),
  },
  'API of the provider': {
    reason: 'CancelledByProvider',
    cancel: ({ id }) => asProvider('PUT', `contracts/${id}/cancel`, { note: 'closing down' }),
  },
  'YAML of the provider': {
    reason: 'CancelledByProvider',
    cancel: ({ id }) => patch(id, { requested: true, by: 'Provider', note: 'closing down' }),
  },
};

describe.concurrent.each(PLACES)('$name', ({ phase, host: makeHost, isThere, more }) => {
  test('is cancelled by API, YAML and kubectl delete, by tenant and provider, and leaves nothing', {
    timeout: 60_000,
  }, async () => {
    const stage = { market, keep: (kept: Kept) => hosts.push(kept) };
    const host = await makeHost(stage);
    const rented = await Promise.all(Object.keys(WAYS).map(() => rent(market, host.offering)));
    await Promise.all(
      rented.map(async (it) => {
        await untilPhase(market, { id: it.id, phase: 'Requested' });
        if (phase !== 'Requested')
          await asProvider('POST', `rental-requests/${it.id}/respond`, { accept: true });
        await more?.(stage, it);
        await untilPhase(market, { id: it.id, phase });
      }),
    );
    await eventually(() => rented.every(({ id }) => isThere?.(host, id) ?? true));
    await Promise.all(
      Object.entries(WAYS).map(async ([way, { reason, cancel }], at) => {
        const it = rented[at];
        if (!it) throw new Error('one for each way');
        const startedMs = systemClock.monotonicMs();
        await cancel(it);
        host.letGo?.(it.id);
        await eventually(async () => (await phaseOf(it)) === 'Cancelled');
        tookMs.push(systemClock.monotonicMs() - startedMs);
        const { data } = await market.call('GET', `/api/v1/contracts/${it.id}`, { key: it.tenant });
        expect(data, way).toMatchObject({ phase: 'Cancelled', reason });
        expect(data.access).toBeUndefined();
        if (way === 'kubectl delete') await eventually(async () => (await live(it.id)) === undefined);
      }),
    );
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
  expect(tookMs).toHaveLength(Object.keys(WAYS).length * PLACES.length);
  expect(Math.max(...tookMs)).toBeLessThan(8000);
});
