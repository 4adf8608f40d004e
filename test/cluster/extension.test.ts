/**
 * What added hours cost where the offering says `Current`, with a real operator and facade: said beforehand, agreed
 * to through API and YAML or not charged at all, on record, and the limit of a renewal. Time passes by moving the
 * contract's instants back.
 */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { LiveContract } from '../../crds/contract/contract.ts';
import type { ContractSpec } from '../../crds/contract/spec.ts';
import { GROUP, VERSION } from '../../crds/group.ts';
import type { PriceValue } from '../../crds/price.ts';
import { isConflict } from '../../kube/error.ts';
import { createDatabase, inNamespace, type TestDatabase } from '../world/cluster.ts';
import { startOperator } from '../world/operator.ts';
import {
  eventually,
  joinAgent,
  type Market,
  makeOffering,
  makePool,
  mustLive,
  openMarket,
  providerPath,
  type Rented,
  readContract,
  rent,
  type TestAgent,
} from './api/harness.ts';

const HOUR_MS = 3_600_000;
const eur = (amountMinor: number): PriceValue => ({ amountMinor, currency: 'EUR', per: 'Day' });
const DEAR = 'dded hours cost 7.00 EUR a day by now, not nothing as agreed';
/** What the provider allows, whatever its offerings do. Hours. */
const MOST = 240;
let market: Market;
let agent: TestAgent;
let pool: string;
let database: TestDatabase;
let stopOperator: () => Promise<void>;
beforeAll(async () => {
  const namespace = await inNamespace('extension');
  database = await createDatabase();
  const kubeconfig = inject('kubeconfig');
  stopOperator = startOperator({ kubeconfig, databaseUrl: database.url, namespace });
  market = await openMarket({
    cluster: { kubeconfig, namespace },
    hasOperator: true,
    withDatabase: false,
    environment: { DATABASE_URL: database.url },
  });
  const path = '/api/v1/provider/settings/acceptance';
  const body = { mode: 'Automatic', maxDurationHours: MOST };
  await market.call('PUT', path, { key: market.provider, body });
  pool = await makePool(market);
  agent = await joinAgent(market, pool);
});
afterAll(async () => {
  await stopOperator?.();
  await market?.close();
  await database?.drop();
});

const ask = ({ id, tenant }: Rented, method: string, path: string, body?: object) =>
  market.call(method, `/api/v1/contracts/${id}${path}`, { key: tenant, body });
const live = async ({ id }: Rented): Promise<LiveContract> => mustLive(await readContract(market, id));
const reasons = async (rented: Rented): Promise<string[]> =>
  ((await live(rented)).status.history ?? []).map(({ reason }) => reason);
const until = (rented: Rented, isSo: (contract: LiveContract) => boolean): Promise<void> =>
  eventually(async () => {
    const contract = await readContract(market, rented.id);
    return contract.status !== undefined && isSo(mustLive(contract));
  });
const asAgent = (path: string, body: object) =>
  market.call('POST', `${providerPath(market)}${path}`, {
    key: agent.keys,
    body: { session: agent.session, incarnation: agent.incarnation, ...body },
  });

type Sold = Rented & Readonly<{ place: { namespace: string; name: string } }>;

/** For nothing and 24 hours; hours that are added cost what the offering asks then, unless the terms hold. */
const offered = (price: 'Same' | 'Current' = 'Current'): Promise<string> =>
  makeOffering(market, {
    poolName: pool,
    price: eur(0),
    extension: { price },
    duration: { minHours: 1, maxHours: 720, defaultHours: 24 },
  });

/** Rented, and running. */
async function running(): Promise<Sold> {
  const offering = await offered();
  const rented = await rent(market, offering);
  await eventually(
    async () => (await asAgent(`/contracts/${rented.id}/lock`, { observedEpoch: 0 })).status === 200,
  );
  const instanceDetails = { externalId: 'vm', sshPort: 22, verifiedAt: new Date().toISOString() };
  await asAgent(`/contracts/${rented.id}/provisioned`, { epoch: 1, instanceDetails });
  await until(rented, ({ status }) => status.phase === 'Active');
  return { ...rented, place: { namespace: market.namespace, name: offering.split('/')[1] ?? '' } };
}

/** The provider asks another price, and the facade knows it. */
async function asks(sold: Sold, price: PriceValue): Promise<void> {
  await eventually(async () => {
    const offering = await market.clients.offerings.get(sold.place);
    if (!offering) return false;
    return market.clients.offerings.update({ ...offering, spec: { ...offering.spec, price } }).then(
      () => true,
      () => false, // the operator wrote in between
    );
  });
  await eventually(
    async () => (await ask(sold, 'GET', '')).data.extension.price.amountMinor === price.amountMinor,
  );
}

const change = (rented: Rented, spec: Partial<ContractSpec>): Promise<void> =>
  eventually(async () => {
    const contract = await live(rented);
    return market.clients.contracts.update({ ...contract, spec: { ...contract.spec, ...spec } }).then(
      () => true,
      () => false,
    );
  });

/** What the API server says to it as YAML: `taken`, or why not; nothing is changed. */
async function tryChange(rented: Rented, change: Partial<ContractSpec>): Promise<string> {
  const contract = await live(rented);
  const path = `/apis/${GROUP}/${VERSION}/namespaces/${market.namespace}/contracts/${contract.metadata.name}`;
  const body = { ...contract, spec: { ...contract.spec, ...change } };
  return market.kube.raw({ method: 'PUT', path, query: { dryRun: 'All' }, body }).then(
    () => 'taken',
    // The operator wrote in between.
    (error: unknown) => (isConflict(error) ? tryChange(rented, change) : String(error)),
  );
}

const pass = (rented: Rented, hours: number): Promise<void> =>
  eventually(async () => {
    const contract = await live(rented);
    const startsAt = new Date(Date.parse(contract.status.startsAt ?? '') - hours * HOUR_MS).toISOString();
    return market.clients.contracts
      .updateStatus({ ...contract, status: { ...contract.status, startsAt } })
      .then(
        () => true,
        () => false,
      );
  });
const hoursOf = ({ status }: LiveContract): number =>
  (Date.parse(status.endsAt ?? '') - Date.parse(status.startsAt ?? '')) / HOUR_MS;

test('through the API: said beforehand, refused at another price, agreed, done and on record', async () => {
  const sold = await running();
  await asks(sold, eur(700));
  const quote = await ask(sold, 'POST', '/extend', { hours: 36, dryRun: true });
  expect(quote.data).toMatchObject({ price: eur(700), costMinor: 1050, durationHours: 60, dryRun: true });
  expect((await ask(sold, 'GET', '')).data.extension).toMatchObject({ pricing: 'Current', agreed: [] });

  const refused = await ask(sold, 'POST', '/extend', { hours: 36 });
  expect(refused).toMatchObject({ status: 409, body: { code: 'PriceChanged', detail: `A${DEAR}.` } });
  expect(refused.body).toMatchObject({
    error: expect.stringContaining('agree to that price'),
    data: { price: eur(700), agreed: null },
  });
  expect((await ask(sold, 'POST', '/extend', { hours: 36, price: eur(699) })).status).toBe(409);
  expect((await live(sold)).spec.durationHours).toBe(24);

  const done = await ask(sold, 'POST', '/extend', { hours: 36, price: eur(700) });
  expect(done).toMatchObject({ status: 200, data: { costMinor: 1050, durationHours: 60 } });
  await until(sold, ({ status }) => status.agreedHours === 60);
  expect(hoursOf(await live(sold))).toBe(60);
  await eventually(async () => (await ask(sold, 'GET', '')).data.extension.agreed.length === 1);
  expect((await ask(sold, 'GET', '')).data).toMatchObject({
    durationHours: 60,
    price: eur(0),
    paymentStatus: 'Pending',
    extension: { agreed: [{ hours: 36, price: eur(700) }], pendingHours: 0 },
  });
});

test('through YAML: nothing is added at a price that was not agreed, in the same words, until it is', async () => {
  const sold = await running();
  await asks(sold, eur(700));
  await change(sold, { durationHours: 30 });
  await until(sold, ({ status }) => status.history?.at(-1)?.reason === 'PriceChanged');
  const waiting = await live(sold);
  expect(waiting.status.conditions).toContainEqual(
    expect.objectContaining({
      type: 'ExtensionAgreed',
      status: 'False',
      reason: 'PriceChanged',
      message: `6 hours were not added: a${DEAR}`,
    }),
  );
  expect([hoursOf(waiting), waiting.status.extensions]).toEqual([24, undefined]);
  await eventually(async () => (await ask(sold, 'GET', '')).data.extension.pendingHours === 6);

  await change(sold, { agreedPrice: eur(700) });
  await until(sold, ({ status }) => status.agreedHours === 30);
  expect((await live(sold)).status.extensions).toMatchObject([{ hours: 6, price: eur(700) }]);
  // And when the offering comes to ask what was agreed.
  await change(sold, { durationHours: 40, agreedPrice: eur(500) });
  await until(sold, ({ status }) => status.history?.at(-1)?.reason === 'PriceChanged');
  await asks(sold, eur(500));
  await until(sold, ({ status }) => status.agreedHours === 40);
  expect(hoursOf(await live(sold))).toBe(40);
  expect((await live(sold)).status.extensions).toMatchObject([
    { hours: 6, price: eur(700) },
    { hours: 10, price: eur(500) },
  ]);
  expect((await reasons(sold)).filter((reason) => reason === 'PriceChanged')).toHaveLength(2);
});

test('an offering that is gone asks nothing more: the terms hold', async () => {
  const sold = await running();
  await asks(sold, eur(700));
  await market.clients.offerings.delete(sold.place);
  await eventually(async () => (await ask(sold, 'GET', '')).data.extension.price.amountMinor === 0);
  expect((await ask(sold, 'POST', '/extend', { hours: 2, price: eur(700) })).status).toBe(409);
  expect((await ask(sold, 'POST', '/extend', { hours: 2 })).status).toBe(200);
  await until(sold, ({ status }) => status.agreedHours === 26);
  expect((await live(sold)).status.extensions).toMatchObject([{ hours: 2, price: eur(0) }]);
});

test('a renewal goes up to the price that was agreed for it, and is warned about above it', async () => {
  const sold = await running();
  await asks(sold, eur(700));
  const renewal = { hours: 24, maxHours: 96, maxPrice: eur(600) };
  expect((await ask(sold, 'PUT', '/auto-renew', renewal)).status).toBe(200);
  await pass(sold, 23.5);
  await until(sold, ({ status }) => status.history?.at(-1)?.reason === 'RenewalTooDear');
  await asks(sold, eur(600));
  await pass(sold, 0.5);
  await until(sold, ({ status }) => status.renewedHours === 24);
  expect((await live(sold)).status.extensions).toMatchObject([{ hours: 24, price: eur(600) }]);

  await asks(sold, eur(601));
  await pass(sold, 24);
  await until(sold, ({ status }) => status.phase === 'Terminating');
  expect((await live(sold)).status).toMatchObject({ reason: 'DurationEnded', renewedHours: 24 });
});

test('where the terms hold no other price is agreed to, by API and YAML in the same words, nor ordered with', async () => {
  const rented = await rent(market, await offered('Same'));
  await until(rented, ({ status }) => status.phase === 'Accepted');
  const said = 'dded hours cost nothing by now, not 1.00 EUR a day as agreed';
  const refused = await ask(rented, 'POST', '/extend', { hours: 6, price: eur(100) });
  expect(refused).toMatchObject({ status: 409, body: { code: 'PriceChanged', detail: `A${said}.` } });
  const hours = { durationHours: 30 };
  expect(await tryChange(rented, { ...hours, agreedPrice: eur(100) })).toContain(`a${said}`);
  expect(await tryChange(rented, { ...hours, agreedPrice: eur(0) })).toBe('taken');
  const autoRenew = { hours: 24, maxHours: 96, maxPrice: { ...eur(100), currency: 'USD' } };
  const never = 'it would never renew itself: it is priced in EUR, and autoRenew.maxPrice is in USD';
  const renewed = await ask(rented, 'PUT', '/auto-renew', autoRenew);
  expect(renewed).toMatchObject({ status: 422, body: { detail: `I${never.slice(1)}.` } });
  expect(await tryChange(rented, { autoRenew })).toContain(never);

  const { termsSnapshot: _terms, ...ordered } = (await live(rented)).spec;
  for (const [name, wish, reason, message] of [
    ['agrees', { agreedPrice: eur(100) }, 'AgreedPriceNotAllowed', `a${said}`],
    ['renews', { autoRenew }, 'AutoRenewNotAllowed', never],
  ] as const) {
    const place = { namespace: market.namespace, name };
    await market.clients.contracts.create({ metadata: place, spec: { ...ordered, ...wish } });
    await eventually(async () => (await market.clients.contracts.get(place))?.status?.phase === 'Rejected');
    const status = (await market.clients.contracts.get(place))?.status;
    expect(status).toMatchObject({ reason, message });
  }
});

test('no rental becomes longer than its provider allows, whoever made its terms, by API and YAML in the same words', async () => {
  const byApi = await running();
  const { termsSnapshot: _terms, ...ordered } = (await live(byApi)).spec;
  const place = { namespace: market.namespace, name: 'by-yaml' };
  const name = (await offered()).split('/')[1] ?? '';
  const { metadata } = await market.clients.contracts.create({
    metadata: place,
    spec: { ...ordered, offering: { name } },
  });
  const byYaml: Rented = { ...byApi, id: (metadata.uid ?? '').replaceAll('-', '') };
  await until(byYaml, ({ status }) => status.phase === 'Accepted');
  for (const rented of [byApi, byYaml]) {
    const { spec } = await live(rented);
    const hours = MOST + 1 - (spec.durationHours ?? 0);
    const tooLong = `he terms allow ${MOST} hours at most, not ${MOST + 1}`;
    await eventually(async () => {
      const { status, body } = await ask(rented, 'POST', '/extend', { hours });
      return status === 422 && body.detail === `T${tooLong}.`;
    });
    const never = `one renewal makes it ${MOST + 1} hours, and the terms allow ${MOST} at most`;
    const renewed = await ask(rented, 'PUT', '/auto-renew', { hours, maxHours: 720 });
    expect(renewed).toMatchObject({ status: 422, body: { detail: expect.stringContaining(never) } });
    const said = (change: Partial<ContractSpec>) => tryChange(rented, change);
    expect(await said({ durationHours: MOST + 1 })).toContain(tooLong);
    expect(await said({ autoRenew: { hours, maxHours: 720 } })).toContain(never);
    expect(await said({ durationHours: MOST })).toBe('taken');
  }
});
