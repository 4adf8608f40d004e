/** Contracts that were rented to be kept apart, claimed by one agent at the same time. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generateKeyPair } from '../../../lib/signature/keys.ts';
import {
  accept,
  eventually,
  joinAgent,
  type Market,
  makeOffering,
  makePool,
  openMarket,
  providerPath,
  readContract,
  rent,
  type TestAgent,
} from './harness.ts';

let market: Market;
let agent: TestAgent;
let offering: string;
beforeAll(async () => {
  market = await openMarket({ environment: { HEAD_START_SECONDS: '0' } });
  const pool = await makePool(market);
  agent = await joinAgent(market, pool);
  offering = await makeOffering(market, { poolName: pool });
});
afterAll(() => market?.close());

const tenant = generateKeyPair();

/** One of the tenant's, in a group. */
async function inGroup(group: string): Promise<string> {
  const antiAffinity = { group, mode: 'Required' };
  const { id } = await rent(market, offering, tenant, { antiAffinity });
  expect((await readContract(market, id)).spec.antiAffinity).toEqual(antiAffinity);
  const shown = await market.call('GET', `/api/v1/contracts/${id}`, { key: tenant });
  expect(shown.data.antiAffinity).toEqual(antiAffinity);
  await accept(market, id);
  await eventually(async () => (await offered()).includes(id));
  return id;
}
const offered = async (): Promise<string[]> => {
  const { data } = await market.call('GET', `${providerPath(market)}/work?wait=0`, { key: agent.keys });
  return data.map(({ contractId }: { contractId: string }) => contractId);
};
const claim = (id: string) =>
  market.call('POST', `${providerPath(market)}/contracts/${id}/lock`, {
    key: agent.keys,
    body: { session: agent.session, incarnation: agent.incarnation },
  });

test('the second sees what the first has just taken, before the watch has told of it', async () => {
  for (let round = 0; round < 5; round++) {
    const ids = [await inGroup(`db-${round}`), await inGroup(`db-${round}`)];
    const answers = await Promise.all(ids.map(claim));
    expect(answers.map(({ status, body }) => `${status} ${body.code ?? ''}`).sort()).toEqual([
      '200 ',
      '409 NotEligible',
    ]);
  }
}, 30_000);
