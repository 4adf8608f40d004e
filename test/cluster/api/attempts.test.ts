/** Who is offered what failed, and when: through the work list, the lock and a long poll that waits for the time. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Attempt, ContractStatus } from '../../../crds/contract/status.ts';
import {
  eventually,
  joinAgent,
  type Market,
  makeOffering,
  makePool,
  moveContract,
  openMarket,
  providerPath,
  rentAccepted,
  type TestAgent,
} from './harness.ts';

let market: Market;
let offering: string;
let failed: TestAgent;
let other: TestAgent;
beforeAll(async () => {
  market = await openMarket();
});
afterAll(() => market?.close());
/** A pool of two for each test: what one waits for is nothing to the others. */
beforeEach(async () => {
  const pool = await makePool(market);
  offering = await makeOffering(market, { poolName: pool });
  [failed, other] = [await joinAgent(market, pool), await joinAgent(market, pool)];
});

const attempt = (agent: TestAgent, agoMs: number, change: Partial<Attempt> = {}): Attempt => ({
  agent: agent.name,
  agentUID: agent.uid,
  epoch: 1,
  startedAt: new Date(Date.now() - agoMs - 1000).toISOString(),
  endedAt: new Date(Date.now() - agoMs).toISOString(),
  outcome: 'Failed',
  class: 'transient',
  ...change,
});
async function failedOnce(change: Partial<ContractStatus>): Promise<string> {
  const { id, tenant } = await rentAccepted(market, offering);
  const epoch = change.epoch ?? 2;
  await moveContract(market, id, (status) => ({ ...status, failures: 1, ...change, epoch }));
  const path = `/api/v1/contracts/${id}`;
  await eventually(async () => (await market.call('GET', path, { key: tenant })).data?.epoch === epoch);
  return id;
}
const work = async (agent: TestAgent, waitSeconds: number): Promise<string[]> => {
  const path = `${providerPath(market)}/work?wait=${waitSeconds}`;
  const { data } = await market.call('GET', path, { key: agent.keys });
  return data.map(({ contractId }: { contractId: string }) => contractId);
};
const offered = async (agent: TestAgent, id: string): Promise<boolean> => (await work(agent, 0)).includes(id);
const claim = (agent: TestAgent, id: string) =>
  market.call('POST', `${providerPath(market)}/contracts/${id}/lock`, {
    key: agent.keys,
    body: { session: agent.session, incarnation: agent.incarnation },
  });

test('another agent is offered it, the one that failed is passed over and told why', async () => {
  const id = await failedOnce({ attempts: [attempt(failed, 0)] });
  await eventually(() => offered(other, id));
  expect(await offered(failed, id)).toBe(false);
  expect(await claim(failed, id)).toMatchObject({
    status: 409,
    body: { code: 'NotEligible', detail: expect.stringContaining('others go first until') },
  });
  expect(await claim(other, id)).toMatchObject({ status: 200, data: { acquired: true } });
});

test('when the other one is cordoned, the one that failed is asked again at once', async () => {
  const agents = `${providerPath(market)}/agents/${other.keys.publicKey}/cordon`;
  await market.call('POST', agents, { key: market.provider, body: {} });
  const id = await failedOnce({ attempts: [attempt(failed, 0)] });
  await eventually(() => offered(failed, id));
});

test('who said permanent is not asked again, alone or not', async () => {
  const agents = `${providerPath(market)}/agents/${other.keys.publicKey}/cordon`;
  await market.call('POST', agents, { key: market.provider, body: {} });
  const id = await failedOnce({ attempts: [attempt(failed, 600_000, { class: 'permanent' })] });
  expect(await claim(failed, id)).toMatchObject({ status: 409, body: { code: 'NotEligible' } });
  expect(await work(failed, 1)).toEqual([]);
});

test('a long poll is answered when the gap before the next attempt is over', async () => {
  const dueMs = Date.now() + 2500;
  const id = await failedOnce({
    attempts: [attempt(failed, 0)],
    nextAttemptAt: new Date(dueMs).toISOString(),
  });
  expect(await work(other, 20)).toEqual([id]);
  expect(Date.now()).toBeGreaterThan(dueMs - 1000); // the facade goes by the API server's clock
  expect(Date.now()).toBeLessThan(dueMs + 10_000);
});

test('after an expiry the one that held is offered it at once, the others when its head start is over', async () => {
  const endedAgoMs = 27_000;
  const id = await failedOnce({ epoch: 1, attempts: [attempt(failed, endedAgoMs, { outcome: 'Expired' })] });
  const overMs = Date.now() + 30_000 - endedAgoMs;
  await eventually(() => offered(failed, id));
  expect(await work(other, 20)).toEqual([id]);
  expect(Date.now()).toBeGreaterThan(overMs - 1000); // endedAt was written a moment before
  expect(Date.now()).toBeLessThan(overMs + 10_000);
});
