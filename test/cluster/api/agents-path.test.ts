/** The agents' path on a real API server: what is offered, to whom, who gets the lock, and a first report. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  accept,
  eventually,
  joinAgent,
  joinReferenceAgent,
  type Market,
  makeOffering,
  makePool,
  mustLive,
  openMarket,
  providerPath,
  readContract,
  rent,
  rentAccepted,
  type TestAgent,
} from './harness.ts';

let market: Market;
let pool: string;
let offering: string;

beforeAll(async () => {
  market = await openMarket();
  pool = await makePool(market);
  offering = await makeOffering(market, { poolName: pool });
});
afterAll(() => market?.close());

const lockPath = (id: string): string => `${providerPath(market)}/contracts/${id}/lock`;
const sessionOf = ({ session, incarnation }: TestAgent) => ({ session, incarnation });

test('a waiting contract is offered, claimed, reported and seen by its tenant', async () => {
  const agent = await joinAgent(market, pool);
  const { id, tenant } = await rentAccepted(market, offering);
  const work = await market.call('GET', `${providerPath(market)}/work?wait=5`, { key: agent.keys });
  const item = work.data.find((entry: { contractId: string }) => entry.contractId === id);
  expect(item).toMatchObject({
    action: 'Provision',
    epoch: 0,
    contract: { cpuCores: 2, memoryAmount: '4096 MB' },
  });
  const claimed = await market.call('POST', lockPath(id), {
    key: agent.keys,
    body: { ...sessionOf(agent), observedEpoch: 0 },
  });
  expect(claimed).toMatchObject({ status: 200, data: { acquired: true, epoch: 1, then: 'Continue' } });
  const renewed = await market.call('POST', lockPath(id), {
    key: agent.keys,
    body: { ...sessionOf(agent), epoch: 1 },
  });
  expect(renewed).toMatchObject({ status: 200, data: { acquired: true, epoch: 1 } });
  const reported = await market.call('POST', `${providerPath(market)}/contracts/${id}/provisioned`, {
    key: agent.keys,
    body: {
      epoch: 1,
      session: agent.session,
      instance_details: { external_id: 'vm-1', ssh_port: 2200, ip_address: '127.0.0.1' },
    },
  });
  expect(reported).toMatchObject({ status: 200, data: { phase: 'Provisioned', then: 'Continue' } });
  const seen = await market.call('GET', `/api/v1/contracts/${id}`, { key: tenant });
  expect(seen.data).toMatchObject({ phase: 'Provisioned', access: { port: 2200 } });
  expect(JSON.stringify(seen.data)).not.toContain(agent.name);
});

test('of two agents one gets the lock, the other hears who has it', async () => {
  const [first, second] = [await joinAgent(market, pool), await joinAgent(market, pool)];
  const { id } = await rentAccepted(market, offering);
  const answers = await Promise.all(
    [first, second].map((agent) =>
      market.call('POST', lockPath(id), { key: agent.keys, body: { ...sessionOf(agent), observedEpoch: 0 } }),
    ),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  const loser = answers.find(({ status }) => status === 409);
  expect(loser?.body).toMatchObject({ code: 'LockHeld', data: { acquired: false } });
  expect(loser?.body.data.expiresAtNs).toBeGreaterThan(Date.now() * 1e6);
});

test('a lock without a body is granted, and given up without one', async () => {
  const agent = await joinReferenceAgent(market, pool);
  const { id } = await rentAccepted(market, offering);
  expect((await market.call('POST', lockPath(id), { key: agent.keys })).data).toMatchObject({
    acquired: true,
  });
  const released = await market.call('DELETE', lockPath(id), { key: agent.keys, raw: 'null' });
  expect(released.data).toEqual({ released: true, then: 'Continue' });
  expect((await market.call('DELETE', lockPath(id), { key: agent.keys })).data.released).toBe(false);
  expect(mustLive(await readContract(market, id)).status).toMatchObject({ phase: 'Accepted', epoch: 2 });
});

test('a long poll is woken within a second by a new contract', async () => {
  const freshPool = await makePool(market);
  const freshOffering = await makeOffering(market, { poolName: freshPool });
  const agent = await joinAgent(market, freshPool);
  const { id } = await rent(market, freshOffering);
  const poll = market.call('GET', `${providerPath(market)}/work?wait=20`, { key: agent.keys });
  await eventually(() => true);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const acceptedAt = Date.now();
  await accept(market, id);
  const { data } = await poll;
  expect(data).toMatchObject([{ action: 'Provision', contractId: id }]);
  expect(Date.now() - acceptedAt).toBeLessThan(1000);
});

test('an idle poll answers an empty list when its time is over', async () => {
  const agent = await joinAgent(market, await makePool(market));
  const startedAt = Date.now();
  const { data } = await market.call('GET', `${providerPath(market)}/work?wait=1`, { key: agent.keys });
  expect(data).toEqual([]);
  expect(Date.now() - startedAt).toBeGreaterThanOrEqual(950);
});

test('pending-provision lists what is free and what the agent holds itself, in both spellings', async () => {
  const ownPool = await makePool(market);
  const ownOffering = await makeOffering(market, { poolName: ownPool });
  const [agent, other] = [await joinAgent(market, ownPool), await joinAgent(market, ownPool)];
  const { id } = await rentAccepted(market, ownOffering);
  const pending = (who: TestAgent) =>
    market.call('GET', `${providerPath(market)}/contracts/pending-provision?wait=2`, { key: who.keys });
  expect((await pending(agent)).data).toMatchObject([
    { contract_id: id, contractId: id, provisioner_type: 'script' },
  ]);
  await market.call('POST', lockPath(id), { key: agent.keys, body: sessionOf(agent) });
  await eventually(
    async () =>
      (await market.call('GET', `${providerPath(market)}/contracts/pending-provision`, { key: other.keys }))
        .data.length === 0,
  );
  expect((await pending(agent)).data).toMatchObject([{ contract_id: id }]);
});
