/** What cannot be rented leaves in the words of the rule, with a code and the field that is to be corrected. */
import { expect, test } from 'vitest';
import { aContract, anOffering, aProvider, someTerms } from '../../crds/contract/builders.ts';
import { type Order, refusalOfOrder, refusalOfStock } from '../../crds/contract/order.ts';
import type { ContractSpec } from '../../crds/contract/spec.ts';
import { Problem } from '../../crds/problem.ts';
import { checkRental } from './check-rental.ts';

const order = (change: Partial<Order> & { spec?: Partial<ContractSpec> }): Order => ({
  contract: aContract('Requested', {}, { spec: change.spec ?? {} }),
  offering: anOffering(),
  provider: aProvider(),
  ...change,
});
const terms = { ...someTerms(), instanceConfigSchema: { properties: { image: { enum: ['debian'] } } } };
const price = { amountMinor: 500, currency: 'EUR', per: 'Month' } as const;
const blocked = aProvider({ acceptance: { mode: 'Automatic', blockedTenants: ['1'.repeat(64)] } });

test.each<[string, number, string | undefined, Order]>([
  ['ValidationFailed', 422, 'durationHours', order({ spec: { durationHours: 9000 } })],
  ['ValidationFailed', 422, 'autoRenew', order({ spec: { autoRenew: { hours: 24, maxHours: 25 } } })],
  [
    'InstanceConfigInvalid',
    422,
    'instanceConfig/image',
    order({ spec: { termsSnapshot: terms, instanceConfig: { image: 'x' } } }),
  ],
  ['TenantNotAccepted', 403, undefined, order({ provider: blocked })],
  ['PaymentUnavailable', 422, undefined, order({ offering: anOffering({ price }) })],
  ['OutOfStock', 409, undefined, order({ offering: anOffering({ stock: 1 }, { reserved: ['other'] }) })],
  ['OfferingUnavailable', 422, undefined, order({ offering: anOffering({ visibility: 'Private' }) })],
])('%s %i %s', (code, status, field, asked) => {
  const said = refusalOfOrder(asked) ?? refusalOfStock(asked.offering);
  const errors = expect.arrayContaining([expect.objectContaining({ field })]);
  const wanted = { code, status, message: said?.message, ...(field ? { extra: { errors } } : {}) };
  expect(() => checkRental(asked)).toThrow(expect.objectContaining(wanted));
  expect(() => checkRental(asked)).toThrow(Problem);
});

test('what can be rented is refused by nobody', () => expect(() => checkRental(order({}))).not.toThrow());
