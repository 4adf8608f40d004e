/** What added hours cost, when they count, and what is kept of it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { moneyWords } from '../price.ts';
import { act } from './act.ts';
import { EXTENSIONS_MAX } from './agreed-hours.ts';
import { aContract, aHolder, anOffering, at, someTerms, uidOf } from './builders.ts';
import type { LiveContract } from './contract.ts';
import { addedPriceOf, extensionMessage, hoursOf, settleExtension, withOrder } from './extension.ts';
import type { ContractSpec } from './spec.ts';
import { ContractStatus } from './status.ts';
import { judgeTerm } from './term.ts';
import { renewTerm, withEnd } from './term-steps.ts';

const HOUR = 3600;
const eur = (amountMinor: number, per: 'Hour' | 'Day' | 'Month' = 'Day') => ({
  amountMinor,
  currency: 'EUR',
  per,
});
const TERMS = someTerms({ price: eur(500), extension: { price: 'Current' }, maxHours: 720 });
const running = (spec: Partial<ContractSpec> = {}, status: Partial<ContractStatus> = {}): LiveContract =>
  aContract(
    status.phase ?? 'Active',
    {
      ...{ epoch: 1, holders: [aHolder(1, 1)], startsAt: at(0).toISOString(), agreedHours: 24 },
      ...{ instance: { agentUID: uidOf(1), epoch: 1, externalId: 'dc-1' }, ...status },
    },
    { spec: { termsSnapshot: TERMS, ...spec } },
  );
const settle = (contract: LiveContract, price = eur(700)): LiveContract => ({
  ...contract,
  status: settleExtension(contract, { price, now: at(60) }),
});

describe('what added hours cost', () => {
  const offering = anOffering({ price: eur(700) });
  const deleted = { ...offering.metadata, deletionTimestamp: at(1).toISOString() };
  const cases = {
    'what the offering asks now': [running(), offering, 700],
    'the same where the terms say so': [
      aContract('Active', {}, { spec: { termsSnapshot: someTerms({ price: eur(500) }) } }),
      offering,
      500,
    ],
    'the same before it was accepted: that is the order': [
      running({}, { phase: 'Requested', agreedHours: undefined }),
      offering,
      500,
    ],
    'the same when the offering is gone': [running(), undefined, 500],
    'the same while the offering is being deleted': [running(), { ...offering, metadata: deleted }, 500],
    'the same when another offering took the name': [
      running(),
      { ...offering, metadata: { ...offering.metadata, uid: uidOf(901) } },
      500,
    ],
  } as const;
  test.each(Object.entries(cases))('%s', (_name, [contract, sold, want]) =>
    expect(addedPriceOf(contract, sold)).toEqual(eur(want)),
  );
});

describe('asked for through the API', () => {
  const extend = (agreed: ReturnType<typeof eur> | undefined, contract = running(), price = eur(700)) =>
    act(contract, { type: 'extend', hours: 24, price, agreed });
  const CHANGED = 'added hours cost 7.00 EUR a day by now, not 5.00 EUR a day as agreed';

  test('the agreed price goes into the spec', () =>
    expect(extend(eur(700))).toMatchObject({
      outcome: 'Write',
      spec: { durationHours: 48, agreedPrice: eur(700) },
    }));
  test.each([
    ['another price', eur(500), CHANGED],
    ['no price: that of the terms', undefined, CHANGED],
    [
      'another period',
      eur(700, 'Month'),
      'added hours cost 7.00 EUR a day by now, not 7.00 EUR a month as agreed',
    ],
    [
      'a higher price is none that was asked',
      eur(900),
      'added hours cost 7.00 EUR a day by now, not 9.00 EUR a day as agreed',
    ],
  ])('%s is refused with both', (_name, agreed, message) =>
    expect(extend(agreed)).toMatchObject({ outcome: 'Refused', code: 'PriceChanged', message }),
  );
  test('no price is needed while it costs what the terms say', () =>
    expect(extend(undefined, running(), eur(500))).toMatchObject({ outcome: 'Write' }));
  test('a price that is not that of the terms is refused where the terms hold', () => {
    const same = aContract('Active', {}, { spec: { termsSnapshot: someTerms({ price: eur(500) }) } });
    expect(extend(eur(400), same, eur(500))).toMatchObject({ code: 'PriceChanged' });
    const done = extend(undefined, same, eur(500));
    expect(done).toMatchObject({ outcome: 'Write', spec: { durationHours: 48 } });
    expect(done.outcome === 'Write' && done.spec.agreedPrice).toBeUndefined();
  });
  test('hours that wait already are counted once, and never taken back', () => {
    const waiting = settle(running({ durationHours: 48 }));
    expect(extend(eur(700), waiting)).toMatchObject({ spec: { durationHours: 48, agreedPrice: eur(700) } });
    expect(act(waiting, { type: 'extend', hours: 12, price: eur(700), agreed: eur(700) })).toMatchObject({
      outcome: 'Refused',
      next: expect.stringContaining('Extend it by 24 hours'),
    });
  });
});

describe('a raised duration', () => {
  test('counts at the agreed price, and is on record', () => {
    const { status } = settle(running({ durationHours: 48, agreedPrice: eur(700) }));
    expect(status).toMatchObject({
      agreedHours: 48,
      extensions: [{ hours: 24, price: eur(700), at: at(60).toISOString() }],
    });
    expect(extensionMessage(status)).toBe('24 hours were added at 7.00 EUR a day');
    expect(status.history?.map(({ reason }) => reason)).toEqual(['ExtensionAgreed']);
  });
  test('counts not at another: said once in the words of the API, and the end stays', () => {
    const asked = running({ durationHours: 48, agreedPrice: eur(500) });
    const { status } = settle(asked);
    const refusal = act(running(), { type: 'extend', hours: 24, price: eur(700), agreed: eur(500) });
    expect(extensionMessage(status)).toBe(
      `24 hours were not added: ${refusal.outcome === 'Refused' ? refusal.message : '?'}`,
    );
    expect([status.agreedHours, status.extensions]).toEqual([24, undefined]);
    expect(withEnd({ ...asked, status }, at(60)).endsAt).toBe(at(24 * HOUR).toISOString());
    const again = settle({ ...asked, status });
    expect(again.status).toBe(status);
    expect(ContractStatus.safeParse(status).error).toBeUndefined();
    expect(settle(again, eur(800)).status.history).toHaveLength(2);
    expect(settle(again, eur(500)).status).toMatchObject({
      agreedHours: 48,
      extensions: [{ price: eur(500) }],
    });
  });
  test('counts not beyond the terms when a renewal came after the wish: those hours would be owed and never had', () => {
    const asked = running({ durationHours: 710, agreedPrice: eur(700) }, { renewedHours: 24 });
    const { status } = settle(asked);
    expect(extensionMessage(status)).toBe(
      '686 hours were not added: the terms allow 720 hours at most, not 734',
    );
    expect([status.agreedHours, status.extensions]).toEqual([24, undefined]);
  });
  test('is left alone once it is ending', () => {
    const asked = running({ durationHours: 48, agreedPrice: eur(700) }, { phase: 'Terminating' });
    expect(settle(asked).status).toBe(asked.status);
  });
  test('before acceptance is the order', () => {
    const spec = { termsSnapshot: TERMS, durationHours: 30 };
    expect(withOrder({ phase: 'Accepted', epoch: 0 }, spec).agreedHours).toBe(30);
    expect(withOrder({ phase: 'Requested', epoch: 0 }, spec).agreedHours).toBeUndefined();
    expect(withOrder({ phase: 'Accepted', epoch: 0, agreedHours: 24 }, spec).agreedHours).toBe(24);
    const same = { ...spec, termsSnapshot: someTerms() };
    expect(withOrder({ phase: 'Accepted', epoch: 0 }, same).agreedHours).toBeUndefined();
  });
});

describe('what was agreed', () => {
  test('tells of every hour, however often and at whatever prices it was extended, and is bounded', () =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 3 }))),
        (steps) => {
          let contract = running();
          for (const [hours, amount] of steps) {
            const price = eur(amount);
            const wanted = { durationHours: (hoursOf(contract) ?? 0) + hours, agreedPrice: price };
            contract = settle({ ...contract, spec: { ...contract.spec, ...wanted } }, price);
          }
          const list = contract.status.extensions ?? [];
          expect(list.length).toBeLessThanOrEqual(EXTENSIONS_MAX);
          expect(list.reduce((sum, { hours }) => sum + hours, 24)).toBe(hoursOf(contract));
        },
      ),
    ));
  test('when it is full nothing is added at a further price', () => {
    const extensions = Array.from({ length: EXTENSIONS_MAX }, (_, n) => ({
      seq: n + 1,
      hours: 1,
      price: eur(n),
      at: at(0).toISOString(),
    }));
    const full = running({ durationHours: 48, agreedPrice: eur(700) }, { extensions });
    expect(settle(full).status).toMatchObject({ agreedHours: 24, extensions });
    expect(
      settle({ ...full, spec: { ...full.spec, agreedPrice: eur(63) } }, eur(63)).status.agreedHours,
    ).toBe(48);
    expect(act(full, { type: 'extend', hours: 24, price: eur(700), agreed: eur(700) })).toMatchObject({
      code: 'IllegalMove',
    });
  });
});

describe('a renewal', () => {
  const autoRenew = { hours: 24, maxHours: 240 };
  const judge = (contract: LiveContract, hour: number, price = eur(700)) =>
    judgeTerm(contract, { now: at(hour * HOUR), price });
  const upTo = (maxPrice: ReturnType<typeof eur>) => running({ autoRenew: { ...autoRenew, maxPrice } });

  test.each([
    ['up to its cap', upTo(eur(700)), 'Renew'],
    ['up to its cap in another period', upTo(eur(30, 'Hour')), 'Renew'],
    ['not above it', upTo(eur(699)), 'End'],
    ['not in another currency', upTo({ ...eur(9000), currency: 'USD' }), 'End'],
    ['not above the terms, where it has none', running({ autoRenew }), 'End'],
  ])('%s', (_name, contract, type) => expect(judge(contract, 24)).toMatchObject({ type }));
  test('at the price of the terms needs no cap', () =>
    expect(judge(running({ autoRenew }), 24, eur(500))).toEqual({ type: 'Renew', hours: 24 }));
  test('that is too dear is warned about as such', () =>
    expect(judge(upTo(eur(699)), 23)).toEqual({ type: 'Warn', hours: 1, reason: 'RenewalTooDear' }));
  test('is on record at its price', () =>
    expect(renewTerm(upTo(eur(700)), { hours: 24, price: eur(700), now: at(24 * HOUR) })).toMatchObject({
      renewedHours: 24,
      extensions: [{ hours: 24, price: eur(700) }],
      endsAt: at(48 * HOUR).toISOString(),
    }));
  test('by terms that hold is on no record, whatever the offering asks', () => {
    const same = running({ autoRenew, termsSnapshot: someTerms() }, { agreedHours: undefined });
    expect(judge(same, 24)).toMatchObject({ type: 'Renew' });
    expect(renewTerm(same, { hours: 24, price: eur(700), now: at(0) }).extensions).toBeUndefined();
  });
});

test.each([
  [5, 'EUR', '0.05 EUR'],
  [99_900, 'EUR', '999.00 EUR'],
  [700, 'JPY', '700 JPY'],
  [5, 'KWD', '0.005 KWD'],
  [12_345, 'CLF', '1.2345 CLF'],
  [50_000, 'HUF', '500.00 HUF'],
])('%i minor units of %s', (amount, currency, words) => expect(moneyWords(amount, currency)).toBe(words));
