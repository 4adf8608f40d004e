/**
 * What added hours cost where the offering says `Current`, with a real operator and facade: said beforehand, agreed
 * to through API and YAML or not charged at all, on record, and the limit of a renewal. And what is refused of them.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ContractSpec } from '../../crds/contract/spec.ts';
import { eventually, type Rented, rent } from './api/harness.ts';
import { eur, hoursOf, MOST, openStage, type Stage } from './extension-stage.ts';

const DEAR = 'dded hours cost 7.00 EUR a day by now, not nothing as agreed';
let at: Stage;
beforeAll(async () => {
  at = await openStage('extension');
});
afterAll(() => at?.close());

test('through the API: said beforehand, refused at another price, agreed, done and on record', async () => {
  const sold = await at.running();
  await at.asks(sold, eur(700));
  const quote = await at.ask(sold, 'POST', '/extend', { hours: 36, dryRun: true });
  expect(quote.data).toMatchObject({ price: eur(700), costMinor: 1050, durationHours: 60, dryRun: true });
  expect((await at.ask(sold, 'GET', '')).data.extension).toMatchObject({ pricing: 'Current', agreed: [] });

  const refused = await at.ask(sold, 'POST', '/extend', { hours: 36 });
  expect(refused).toMatchObject({ status: 409, body: { code: 'PriceChanged', detail: `A${DEAR}.` } });
  expect(refused.body).toMatchObject({
    error: expect.stringContaining('agree to that price'),
    data: { price: eur(700), agreed: null },
  });
  expect((await at.ask(sold, 'POST', '/extend', { hours: 36, price: eur(699) })).status).toBe(409);
  expect((await at.live(sold)).spec.durationHours).toBe(24);

  const done = await at.ask(sold, 'POST', '/extend', { hours: 36, price: eur(700) });
  expect(done).toMatchObject({ status: 200, data: { costMinor: 1050, durationHours: 60 } });
  await at.until(sold, ({ status }) => status.agreedHours === 60);
  expect(hoursOf(await at.live(sold))).toBe(60);
  await eventually(async () => (await at.ask(sold, 'GET', '')).data.extension.agreed.length === 1);
  expect((await at.ask(sold, 'GET', '')).data).toMatchObject({
    durationHours: 60,
    price: eur(0),
    paymentStatus: 'Pending',
    extension: { agreed: [{ hours: 36, price: eur(700) }], pendingHours: 0 },
  });
});

test('through YAML: nothing is added at a price that was not agreed, in the same words, until it is', async () => {
  const sold = await at.running();
  await at.asks(sold, eur(700));
  await at.change(sold, { durationHours: 30 });
  await at.until(sold, ({ status }) => status.history?.at(-1)?.reason === 'PriceChanged');
  const waiting = await at.live(sold);
  expect(waiting.status.conditions).toContainEqual(
    expect.objectContaining({
      type: 'ExtensionAgreed',
      status: 'False',
      reason: 'PriceChanged',
      message: `6 hours were not added: a${DEAR}`,
    }),
  );
  expect([hoursOf(waiting), waiting.status.extensions]).toEqual([24, undefined]);
  await eventually(async () => (await at.ask(sold, 'GET', '')).data.extension.pendingHours === 6);

  await at.change(sold, { agreedPrice: eur(700) });
  await at.until(sold, ({ status }) => status.agreedHours === 30);
  expect((await at.live(sold)).status.extensions).toMatchObject([{ hours: 6, price: eur(700) }]);
  // And when the offering comes to ask what was agreed.
  await at.change(sold, { durationHours: 40, agreedPrice: eur(500) });
  await at.until(sold, ({ status }) => status.history?.at(-1)?.reason === 'PriceChanged');
  await at.asks(sold, eur(500));
  await at.until(sold, ({ status }) => status.agreedHours === 40);
  expect(hoursOf(await at.live(sold))).toBe(40);
  expect((await at.live(sold)).status.extensions).toMatchObject([
    { hours: 6, price: eur(700) },
    { hours: 10, price: eur(500) },
  ]);
  expect((await at.reasons(sold)).filter((reason) => reason === 'PriceChanged')).toHaveLength(2);
});

test('an offering that is gone asks nothing more: the terms hold', async () => {
  const sold = await at.running();
  await at.asks(sold, eur(700));
  await at.market.clients.offerings.delete(sold.place);
  await eventually(async () => (await at.ask(sold, 'GET', '')).data.extension.price.amountMinor === 0);
  expect((await at.ask(sold, 'POST', '/extend', { hours: 2, price: eur(700) })).status).toBe(409);
  expect((await at.ask(sold, 'POST', '/extend', { hours: 2 })).status).toBe(200);
  await at.until(sold, ({ status }) => status.agreedHours === 26);
  expect((await at.live(sold)).status.extensions).toMatchObject([{ hours: 2, price: eur(0) }]);
});

test('a renewal goes up to the price that was agreed for it, and is warned about above it', async () => {
  const sold = await at.running();
  await at.asks(sold, eur(700));
  const renewal = { hours: 24, maxHours: 96, maxPrice: eur(600) };
  expect((await at.ask(sold, 'PUT', '/auto-renew', renewal)).status).toBe(200);
  await at.pass(sold, 23.5);
  await at.until(sold, ({ status }) => status.history?.at(-1)?.reason === 'RenewalTooDear');
  await at.asks(sold, eur(600));
  await at.pass(sold, 0.5);
  await at.until(sold, ({ status }) => status.renewedHours === 24);
  expect((await at.live(sold)).status.extensions).toMatchObject([{ hours: 24, price: eur(600) }]);

  await at.asks(sold, eur(601));
  await at.pass(sold, 24);
  await at.until(sold, ({ status }) => status.phase === 'Terminating');
  expect((await at.live(sold)).status).toMatchObject({ reason: 'DurationEnded', renewedHours: 24 });
});

test('where the terms hold no other price is agreed to, by API and YAML in the same words, nor ordered with', async () => {
  const rented = await rent(at.market, await at.offered('Same'));
  await at.until(rented, ({ status }) => status.phase === 'Accepted');
  const said = 'dded hours cost nothing by now, not 1.00 EUR a day as agreed';
  const refused = await at.ask(rented, 'POST', '/extend', { hours: 6, price: eur(100) });
  expect(refused).toMatchObject({ status: 409, body: { code: 'PriceChanged', detail: `A${said}.` } });
  const hours = { durationHours: 30 };
  expect(await at.tryChange(rented, { ...hours, agreedPrice: eur(100) })).toContain(`a${said}`);
  expect(await at.tryChange(rented, { ...hours, agreedPrice: eur(0) })).toBe('taken');
  const autoRenew = { hours: 24, maxHours: 96, maxPrice: { ...eur(100), currency: 'USD' } };
  const never = 'it would never renew itself: it is priced in EUR, and autoRenew.maxPrice is in USD';
  const renewed = await at.ask(rented, 'PUT', '/auto-renew', autoRenew);
  expect(renewed).toMatchObject({ status: 422, body: { detail: `I${never.slice(1)}.` } });
  expect(await at.tryChange(rented, { autoRenew })).toContain(never);

  const { termsSnapshot: _terms, ...ordered } = (await at.live(rented)).spec;
  for (const [name, wish, reason, message] of [
    ['agrees', { agreedPrice: eur(100) }, 'AgreedPriceNotAllowed', `a${said}`],
    ['renews', { autoRenew }, 'AutoRenewNotAllowed', never],
  ] as const) {
    const place = { namespace: at.market.namespace, name };
    await at.market.clients.contracts.create({ metadata: place, spec: { ...ordered, ...wish } });
    await eventually(
      async () => (await at.market.clients.contracts.get(place))?.status?.phase === 'Rejected',
    );
    const status = (await at.market.clients.contracts.get(place))?.status;
    expect(status).toMatchObject({ reason, message });
  }
});

test('no rental becomes longer than its provider allows, whoever made its terms, by API and YAML in the same words', async () => {
  const byApi = await at.running();
  const { termsSnapshot: _terms, ...ordered } = (await at.live(byApi)).spec;
  const place = { namespace: at.market.namespace, name: 'by-yaml' };
  const name = (await at.offered()).split('/')[1] ?? '';
  const { metadata } = await at.market.clients.contracts.create({
    metadata: place,
    spec: { ...ordered, offering: { name } },
  });
  const byYaml: Rented = { ...byApi, id: (metadata.uid ?? '').replaceAll('-', '') };
  await at.until(byYaml, ({ status }) => status.phase === 'Accepted');
  const shown = await at.market.call('GET', `/api/v1/offerings/${at.market.namespace}/${name}`);
  expect(shown.data.duration).toEqual({ minHours: 1, maxHours: MOST, defaultHours: 24 });
  for (const rented of [byApi, byYaml]) {
    const { spec } = await at.live(rented);
    const hours = MOST + 1 - (spec.durationHours ?? 0);
    const tooLong = `he terms allow ${MOST} hours at most, not ${MOST + 1}`;
    await eventually(async () => {
      const { status, body } = await at.ask(rented, 'POST', '/extend', { hours });
      return status === 422 && body.detail === `T${tooLong}.`;
    });
    const never = `one renewal makes it ${MOST + 1} hours, and the terms allow ${MOST} at most`;
    const renewed = await at.ask(rented, 'PUT', '/auto-renew', { hours, maxHours: 720 });
    expect(renewed).toMatchObject({ status: 422, body: { detail: expect.stringContaining(never) } });
    const said = (change: Partial<ContractSpec>) => at.tryChange(rented, change);
    expect(await said({ durationHours: MOST + 1 })).toContain(tooLong);
    expect(await said({ autoRenew: { hours, maxHours: 720 } })).toContain(never);
    expect(await said({ durationHours: MOST })).toBe('taken');
  }
});
