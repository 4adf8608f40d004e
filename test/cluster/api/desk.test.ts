/** A provider's desk against a real API server: what failed in detail, retry, force-release. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { aHolder, uidOf } from '../../../crds/contract/builders.ts';
import { type Contract, contractIdOf } from '../../../crds/contract/contract.ts';
import { FORCE_RELEASE_SENTENCE } from '../../../crds/contract/force-release.ts';
import type { Attempt, ContractStatus } from '../../../crds/contract/status.ts';
import { systemClock } from '../../../lib/clock.ts';
import { createLogger } from '../../../lib/log.ts';
import { generateKeyPair } from '../../../lib/signature/keys.ts';
import { createStore } from '../../../store/store.ts';
import { EXAMPLES } from '../examples.ts';
import { walkTo, wayTo } from '../phases.ts';
import { eventually, type Market, openMarket } from './harness.ts';

const tenant = generateKeyPair();
let market: Market;
beforeAll(async () => {
  market = await openMarket();
});
afterAll(() => market.close());

const attempt = (epoch: number): Attempt => ({
  agent: 'node-1',
  agentUID: uidOf(1),
  epoch,
  startedAt: '2026-01-01T12:00:00.000Z',
  endedAt: `2026-01-01T12:00:${String(epoch).padStart(2, '0')}.000Z`,
  outcome: 'Failed',
  class: 'transient',
  message: 'node-1: the disk is full',
});

/** A contract of our tenant in a phase, as operator and agents would leave it. */
async function contractIn(
  name: string,
  phase: 'Failed' | 'Terminating',
  change: Partial<ContractStatus> = {},
): Promise<Contract> {
  const { contracts } = market.clients;
  const spec = { ...EXAMPLES['Contract']?.spec, tenant: { publicKey: tenant.publicKey } };
  const made = await contracts.create({
    metadata: { name, namespace: market.namespace },
    spec: spec as unknown as Contract['spec'], // the example, as a person writes it: defaults are the API server's
  });
  const there = await walkTo(contracts, made, wayTo(phase));
  const written = await contracts.updateStatus({
    ...there,
    status: { ...there.status, ...change },
  } as Contract);
  const path = `/api/v1/contracts/${idOf(written)}`;
  await eventually(async () => (await market.call('GET', path, { key: tenant })).data?.phase === phase);
  return written;
}
const idOf = ({ metadata }: Contract): string => contractIdOf(metadata.uid ?? '');
const desk = (method: string, path: string, body?: unknown) =>
  market.call(method, `/api/v1/provider/contracts${path}`, { key: market.provider, body });

test('the tenant reads why in its own words, the provider on whose machine, with every attempt', async () => {
  const attempts = [attempt(9), attempt(10)];
  const failed = {
    reason: 'AttemptsExhausted',
    failures: 3,
    message: 'All 3 tries to build it failed',
    attempts,
  };
  const contract = await contractIn('detail', 'Failed', failed);
  const store = createStore({
    databaseUrl: market.databaseUrl ?? '',
    clock: systemClock,
    log: createLogger({ name: 'test', level: 'silent' }),
  });
  const contractUID = contract.metadata.uid ?? '';
  await store.attempts.put([1, 9].map((epoch) => ({ contractUID, attempt: attempt(epoch) })));
  await store.close();

  const path = `/api/v1/contracts/${idOf(contract)}`;
  const asTenant = await market.call('GET', path, { key: tenant });
  expect(asTenant.data.message).toBe(
    'All 3 tries to build your machine failed. You pay nothing. The provider may still try again.',
  );
  expect(JSON.stringify(asTenant.body)).not.toContain('node-1');
  for (const asProvider of [
    await market.call('GET', path, { key: market.provider }),
    await desk('GET', `/${idOf(contract)}`),
  ])
    expect(asProvider.data.detail).toMatchObject({
      message: 'All 3 tries to build it failed',
      attempts: [{ epoch: 1 }, { epoch: 9, message: 'node-1: the disk is full' }, { epoch: 10 }],
      canRetry: true,
      retries: 0,
    });
  expect((await market.call('GET', path, { key: generateKeyPair() })).status).toBe(404);
  const listed = await desk('GET', '?phase=Failed');
  expect(listed.data).toMatchObject([
    { name: 'detail', detail: { attempts: [{ epoch: 9 }, { epoch: 10 }] } },
  ]);
});

test('a retry is a wish in spec: by POST or PUT, asked twice it is one, and only of what failed', async () => {
  const contract = await contractIn('retried', 'Failed');
  const retry = (method: string, body?: object) => desk(method, `/${idOf(contract)}/retry`, body);
  const specOf = async () =>
    (await market.clients.contracts.get({ name: 'retried', namespace: market.namespace }))?.spec.retry;
  expect((await retry('POST', { count: 1 })).data.detail.retries).toBe(1);
  expect((await retry('PUT', { count: 1 })).status).toBe(200);
  expect(await specOf()).toBe(1);
  expect((await retry('POST')).status).toBe(200);
  expect(await specOf()).toBe(2);

  const ending = await contractIn('not-failed', 'Terminating');
  const refused = await desk('POST', `/${idOf(ending)}/retry`);
  expect(refused).toMatchObject({
    status: 409,
    body: {
      code: 'IllegalMove',
      detail: 'A contract can be retried only while it is Failed; it is Terminating.',
    },
  });
  const byTenant = await market.call('POST', `/api/v1/provider/contracts/${idOf(contract)}/retry`, {
    key: tenant,
  });
  expect(byTenant.status).toBe(401);
});

test('a holder is released by force in the name of the facade, for the provider; kept once', async () => {
  const contract = await contractIn('forced', 'Terminating', { holders: [aHolder(1, 1)] });
  const force = (epoch: number) =>
    desk('POST', `/${idOf(contract)}/force-release`, {
      agentUid: uidOf(1),
      epoch,
      reason: 'the host burnt down',
    });
  expect(await force(7)).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining(FORCE_RELEASE_SENTENCE.slice(1)) },
  });
  for (const answer of [await force(1), await force(1)]) expect(answer.status).toBe(200);
  const live = await market.clients.contracts.get({ name: 'forced', namespace: market.namespace });
  expect(live?.spec.forceRelease).toEqual([
    {
      agentUID: uidOf(1),
      epoch: 1,
      by: 'admin',
      onBehalfOf: `provider ${market.provider.publicKey}`,
      reason: 'the host burnt down',
    },
  ]);
});
