/** Following a contract: every move once, from where one was cut off, until its end. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { end } from '../../../crds/contract/steps.ts';
import { systemClock } from '../../../lib/clock.ts';
import type { KeyPair } from '../../../lib/signature/keys.ts';
import {
  joinReferenceAgent,
  type Market,
  makeOffering,
  makePool,
  moveContract,
  openMarket,
  providerPath,
  rentAccepted,
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

test('events tell every move, resume behind the last one, and end with the contract', async () => {
  const agent = await joinReferenceAgent(market, pool);
  const { id, tenant } = await rentAccepted(market, offering);
  const whole = events(id, tenant);
  await market.call('POST', `${providerPath(market)}/contracts/${id}/lock`, { key: agent.keys });
  await market.call('DELETE', `${providerPath(market)}/contracts/${id}/lock`, { key: agent.keys });
  await systemClock.sleep(100);
  const resumed = events(id, tenant, '2');
  await moveContract(market, id, (status) =>
    end(status, { to: 'Failed', reason: 'GaveUp', message: `${agent.name} broke`, now: new Date() }),
  );
  const text = await whole;
  expect(text.match(/^id: .*$/gm)).toEqual(['id: 1', 'id: 2', 'id: 3', 'id: 4']);
  expect(text.match(/^event: .*$/gm)).toEqual([
    'event: Accepted',
    'event: Provisioning',
    'event: Accepted',
    'event: Failed',
  ]);
  expect(text).not.toContain(agent.name);
  expect((await resumed).match(/^id: .*$/gm)).toEqual(['id: 3', 'id: 4']);
});

async function events(id: string, tenant: KeyPair, lastEventId?: string): Promise<string> {
  const { status, headers, body } = await market.call('GET', `/api/v1/contracts/${id}/events`, {
    key: tenant,
    headers: lastEventId ? { 'last-event-id': lastEventId } : {},
  });
  expect([status, headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
  return body;
}
