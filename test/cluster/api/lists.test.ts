/** A tenant's contracts over cluster and archive: no seam, although contracts end and go between two pages. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generateKeyPair, type KeyPair } from '../../../lib/signature/keys.ts';
import { type Market, makeOffering, makePool, openMarket, type Rented, rent } from './harness.ts';
import { endAndArchive, endAndRemove, remove } from './removal.ts';

let market: Market;
let offering: string;
beforeAll(async () => {
  market = await openMarket();
  offering = await makeOffering(market, { poolName: await makePool(market) });
});
afterAll(() => market?.close());

type Listed = Readonly<{ contractId: string; createdAt: string; archived: boolean }>;

async function* pages(key: KeyPair, path: string): AsyncGenerator<readonly Listed[]> {
  for (let next: string | undefined = path; next; ) {
    const page = await market.call('GET', next, { key });
    expect(page.status).toBe(200);
    yield page.data;
    next = /<([^>]+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1];
  }
}

async function rentSome(count: number): Promise<readonly [KeyPair, ...Rented[]]> {
  const tenant = generateKeyPair();
  const rented: Rented[] = [];
  for (let i = 0; i < count; i++) rented.push(await rent(market, offering, tenant));
  return [tenant, ...rented];
}

test('each once and newest first, whether it lives, is archived, or goes between two pages', async () => {
  const [tenant, ...rented] = await rentSome(7);
  // Which of them are on which page nobody knows: those of one second are ordered by their random ids.
  const [gone = '', ended = '', other = '', another = ''] = rented.map(({ id }) => id);
  const steps = new Map<string, 'Archived' | 'Removed'>();
  const go = async (id: string): Promise<void> => {
    if (!steps.has(id)) await endAndArchive(market, { id, tenant });
    if (steps.get(id) !== 'Removed') await remove(market, { id, tenant });
    steps.set(id, 'Removed');
  };
  await go(gone);
  for (const id of [ended, other]) {
    await endAndArchive(market, { id, tenant });
    steps.set(id, 'Archived');
  }
  const seen: Listed[] = [];
  for await (const listed of pages(tenant, '/api/v1/contracts?limit=2')) {
    for (const { contractId, archived } of listed) expect(archived).toBe(steps.get(contractId) === 'Removed');
    const isFirst = seen.length === 0;
    seen.push(...listed);
    if (isFirst)
      for (const id of [...listed.map(({ contractId }) => contractId), other, another]) await go(id);
  }
  const ids = seen.map(({ contractId }) => contractId);
  expect([...ids].sort()).toEqual(rented.map(({ id }) => id).sort());
  const places = seen.map(({ createdAt, contractId }) => `${createdAt}/${contractId}`);
  expect(places).toEqual([...places].sort().reverse());
});

test('by phase, and by id, they are found where they are; by a stranger nowhere', async () => {
  const [tenant, gone, ended] = await rentSome(3);
  if (!gone || !ended) throw new Error('three were rented');
  await endAndRemove(market, gone);
  await endAndArchive(market, ended);
  const found = new Map<string, boolean>();
  for await (const listed of pages(tenant, '/api/v1/contracts?phase=Cancelled&limit=1'))
    for (const { contractId, archived } of listed) found.set(contractId, archived);
  expect(found).toEqual(
    new Map([
      [gone.id, true],
      [ended.id, false],
    ]),
  );
  const one = await market.call('GET', `/api/v1/contracts/${gone.id}`, { key: tenant });
  expect(one.data).toMatchObject({ phase: 'Cancelled', archived: true });
  expect(one.data.history.map(({ to }: { to: string }) => to)).toEqual(['Accepted', 'Cancelled']);
  const of = ({ id }: Rented) => `/api/v1/contracts/${id}`;
  const desk = { key: market.provider };
  for (const one of [ended, gone]) {
    const again = await market.call('PUT', `${of(one)}/cancel`, { key: tenant });
    expect(again).toMatchObject({ status: 200, data: { phase: 'Cancelled', archived: one === gone } });
    const theirs = await market.call('PUT', `/api/v1/provider/contracts/${one.id}/cancel`, desk);
    expect(theirs).toMatchObject({ status: 200, data: { phase: 'Cancelled' } });
    const longer = await market.call('PUT', `${of(one)}/auto-renew`, {
      ...{ key: tenant, body: { hours: 1, maxHours: 2 } },
    });
    expect(longer).toMatchObject({ status: 409, body: { code: 'IllegalMove' } });
  }
  const events = await market.call('GET', `/api/v1/contracts/${gone.id}/events`, { key: tenant });
  expect(events.body.match(/^event: .*$/gm)).toEqual(['event: Accepted', 'event: Cancelled']);
  for (const path of [`/api/v1/contracts/${gone.id}`, `/api/v1/contracts/${gone.id}/events`])
    expect((await market.call('GET', path, { key: generateKeyPair() })).status).toBe(404);
  expect((await market.call('GET', '/api/v1/contracts?cursor=bm9wZQ', { key: tenant })).status).toBe(422);
});
