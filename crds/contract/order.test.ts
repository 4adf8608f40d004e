/** Why an order cannot be accepted: which reason comes first, and the sentence that API and operator both say. */
import { describe, expect, test } from 'vitest';
import { aContract, anOffering, aProvider, someTerms } from './builders.ts';
import { type OrderRefusal, refusalOfOrder, refusalOfStock, waitingSentence } from './order.ts';
import type { ContractSpec } from './spec.ts';

type Case = Readonly<{
  spec?: Partial<ContractSpec>;
  offering?: Parameters<typeof anOffering>[0];
  acceptance?: object;
}>;

function refusal({ spec = {}, offering = {}, acceptance = {} }: Case): OrderRefusal | undefined {
  const contract = aContract('Requested', {}, { spec });
  const provider = aProvider({ acceptance: { mode: 'Automatic', ...acceptance } });
  return refusalOfOrder({ contract, offering: anOffering(offering), provider });
}
const price = { amountMinor: 500, currency: 'EUR', per: 'Month' } as const;
const schema = { properties: { image: { enum: ['debian'] } } };

test.each<[Case, string, string]>([
  [{ offering: { visibility: 'Private' } }, 'OfferingPrivate', 'Offering hello cannot be rented'],
  [
    { acceptance: { blockedTenants: ['1'.repeat(64)] } },
    'TenantNotAccepted',
    'The provider does not rent to this tenant',
  ],
  [
    { acceptance: { allowedTenants: ['2'.repeat(64)] } },
    'TenantNotAccepted',
    'The provider does not rent to this tenant',
  ],
  [{ spec: { durationHours: 721 } }, 'DurationNotAllowed', '721 hours were asked for; 1 to 720 are allowed'],
  [
    { spec: { durationHours: 1 }, acceptance: { minDurationHours: 2, maxDurationHours: 9 } },
    'DurationNotAllowed',
    '1 hour was asked for; 2 to 9 are allowed',
  ],
  [
    {
      spec: { autoRenew: { hours: 24, maxHours: 96 }, termsSnapshot: someTerms({ maxHours: 30 }) },
    },
    'AutoRenewNotAllowed',
    'it would never renew itself: one renewal makes it 48 hours, and the terms allow 30 at most',
  ],
  [
    { spec: { agreedPrice: price } },
    'AgreedPriceNotAllowed',
    'added hours cost nothing by now, not 5.00 EUR a month as agreed',
  ],
  [
    {
      spec: {
        instanceConfig: { image: 'x' },
        termsSnapshot: { ...someTerms(), instanceConfigSchema: schema },
      },
    },
    'InstanceConfigInvalid',
    'instanceConfig is not what the offering allows: /image must be one of "debian"',
  ],
  [
    { offering: { price } },
    'PaymentUnavailable',
    'It costs 5.00 EUR a month, and payments are not available yet',
  ],
  [
    { spec: { termsSnapshot: someTerms({ price }) } },
    'PaymentUnavailable',
    'It costs 5.00 EUR a month, and payments are not available yet',
  ],
])('%o: %s', (given, reason, message) => expect(refusal(given)).toMatchObject({ reason, message }));

test('an order without terms waits for what its offering lacks', () => {
  const { termsSnapshot: _none, ...spec } = aContract().spec;
  const said = (offering: Parameters<typeof anOffering>[0]) =>
    refusalOfOrder({ contract: { spec }, offering: anOffering(offering), provider: aProvider() });
  expect(said({ recipe: { name: 'base' } })).toEqual({
    reason: 'OfferingNotReady',
    message: 'Offering hello waits for its recipe base',
  });
  expect(said({ instanceConfigSchema: { format: 'email' } })?.message).toContain(
    'instanceConfigSchema of offering hello ',
  );
});

test('nothing is said of an order that can be accepted', () => expect(refusal({})).toBeUndefined());

describe('stock', () => {
  const of = (stock: number, rented: number) =>
    refusalOfStock(anOffering({ stock }, { reserved: Array.from({ length: rented }, (_, n) => `${n}`) }));
  test.each([
    [0, 'Nothing of this offering is for rent now', 'it starts when something is'],
    [1, 'The only one of this offering is rented', 'it starts when that is free'],
    [3, 'All 3 of this offering are rented', 'it starts when one is free'],
  ])('none of %i is left: one cause, whoever says it; who waits hears until when', (stock, cause, until) => {
    const said = of(stock, stock);
    if (!said) throw new Error('it is sold out');
    expect(said).toMatchObject({ reason: 'OutOfStock', message: cause });
    expect(waitingSentence(said)).toBe(`${cause}; ${until}`);
  });
  test('one that is left, and none that is counted', () =>
    expect([of(2, 1), refusalOfStock(anOffering({}))]).toEqual([undefined, undefined]));
});
