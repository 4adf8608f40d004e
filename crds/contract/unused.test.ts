import fc from 'fast-check';
import { expect, test } from 'vitest';
import { costMinor, type PriceValue } from '../price.ts';
import { aContract, at, someTerms } from './builders.ts';
import type { LiveContract } from './contract.ts';
import { ContractStatus } from './status.ts';
import { end } from './steps.ts';
import { endTerm, pauseAtEnd, pauseByProvider, resume } from './term-steps.ts';
import { unusedOf, unusedWords } from './unused.ts';

const HOUR = 3600;
const eur = (amountMinor: number, per: PriceValue['per'] = 'Day'): PriceValue => ({
  ...{ amountMinor, currency: 'EUR', per },
});
/** Ran from noon on for `ran` hours of 24, was moved, and found no place. */
function moved(ran: number, price: PriceValue, change: Partial<ContractStatus> = {}) {
  const step = (seq: number, hour: number, move: object) => ({
    ...{ seq, at: at(hour * HOUR).toISOString(), by: 'operator', reason: 'x', ...move },
  });
  return aContract(
    'Failed',
    {
      startsAt: at(0).toISOString(),
      endsAt: at((ran + 1) * HOUR).toISOString(), // an end that came early has shortened it
      history: [
        step(1, 0, { from: 'Provisioned', to: 'Active' }),
        step(2, ran, { from: 'Active', to: 'Accepted', reason: 'Moved' }),
        step(3, ran + 1, { from: 'Accepted', to: 'Failed', reason: 'DeadlineExceeded' }),
      ] as ContractStatus['history'],
      ...change,
    },
    { spec: { durationHours: 24, termsSnapshot: someTerms({ price, maxHours: 720 }) } },
  );
}
const added = (hours: number, price: PriceValue) => ({ seq: 1, hours, price, at: at(0).toISOString() });

test.each([
  [
    'nothing was to be paid',
    moved(5, eur(0)),
    'It ran until 2026-01-01T17:00:00.000Z; 19 of its 24 hours were left.',
  ],
  [
    'the rest is what the day cost less what the hours before cost',
    moved(5, eur(500)),
    'It ran until 2026-01-01T17:00:00.000Z; 19 of its 24 hours were left, worth 3.95 EUR by your terms.',
  ],
  [
    'a begun hour has been used',
    moved(22.5, eur(24)),
    'It ran until 2026-01-02T10:30:00.000Z; 1 of its 24 hours was left, worth 0.01 EUR by your terms.',
  ],
  [
    'its end was near',
    moved(23.5, eur(500)),
    'It ran until 2026-01-02T11:30:00.000Z; less than an hour of its 24 hours was left.',
  ],
  [
    'time that it was paused is no time that it ran',
    moved(9, eur(0), { pausedMs: 4 * HOUR * 1000 }),
    'It ran until 2026-01-01T21:00:00.000Z; 19 of its 24 hours were left.',
  ],
  [
    'the hours that were added are the last ones, at their own price',
    moved(20, eur(100), {
      agreedHours: 24,
      renewedHours: 12,
      extensions: [added(12, eur(2400))],
    }),
    'It ran until 2026-01-02T08:00:00.000Z; 16 of its 36 hours were left, worth 12.16 EUR by your terms.',
  ],
])('of a rental that ran: %s', (_name, contract, words) => {
  const unused = unusedOf(contract);
  expect(unused && unusedWords(unused)).toBe(words);
});

test('what never ran, or runs, has nothing left', () => {
  expect(unusedOf(aContract('Failed'))).toBeUndefined();
  const { status, ...rest } = moved(5, eur(0));
  expect(unusedOf({ ...rest, status: { ...status, phase: 'Active' } })).toBeUndefined();
});

const LOST = { reason: 'InstanceLost', message: 'The machine is lost' };
const runningOf = (hours: number, price: PriceValue): LiveContract =>
  aContract(
    'Active',
    { startsAt: at(0).toISOString() },
    { spec: { durationHours: hours, termsSnapshot: someTerms({ price, maxHours: 720 }) } },
  );
const failed = (contract: LiveContract, now: Date): LiveContract => {
  const status = endTerm(contract, { ...LOST, now });
  return { ...contract, status: end(status, { to: 'Failed', ...LOST, now }) };
};

test.each([
  ['its machine is lost while its provider pauses it', 'Failed', 'InstanceLost'],
  ['it is cancelled while its provider pauses it', 'Cancelled', 'CancelledByTenant'],
] as const)('nothing of a pause is lost when %s', (_name, to, reason) => {
  const running = runningOf(24, eur(500));
  const paused = { ...running, status: pauseByProvider(running, at(10 * HOUR)) };
  const now = at(400 * HOUR);
  const terminating = endTerm(paused, { reason, message: 'x', now });
  expect(terminating).toMatchObject({
    ...{ pausedMs: 390 * HOUR * 1000, pausedAt: at(10 * HOUR).toISOString() },
    endsAt: at(414 * HOUR).toISOString(),
  });
  const contract = { ...paused, status: end(terminating, { to, reason, message: 'x', now }) };
  const unused = unusedOf(contract);
  expect(unused && unusedWords(unused)).toBe(
    'It ran until 2026-01-01T22:00:00.000Z; 14 of its 24 hours were left, worth 2.91 EUR by your terms.',
  );
  expect(contract.status.endsAt).toBe(now.toISOString());
  expect(ContractStatus.safeParse(contract.status).error).toBeUndefined();
});

test('what is lost in the grace after its end had nothing left', () => {
  const running = runningOf(24, eur(500));
  const grace = { graceEndsAt: at(72 * HOUR).toISOString(), now: at(24 * HOUR) };
  const paused = { ...running, status: pauseAtEnd(running, grace) };
  expect(unusedOf(failed(paused, at(30 * HOUR)))).toMatchObject({
    ...{ ranUntil: at(24 * HOUR).toISOString(), unusedHours: 0, cost: [] },
  });
});

test('used and unused hours, and what they cost, are together what was rented, however often it was paused', () => {
  const life = fc.record({
    hours: fc.integer({ min: 1, max: 200 }),
    amount: fc.integer({ min: 0, max: 100_000 }),
    // Minutes that it ran, and then stood still; a clock that was put back credits nothing.
    turns: fc.array(fc.tuple(fc.nat(3000), fc.integer({ min: -60, max: 9000 })), { maxLength: 5 }),
    isPausedAtLast: fc.boolean(),
    lastMinutes: fc.nat(3000),
  });
  fc.assert(
    fc.property(life, ({ hours, amount, turns, isPausedAtLast, lastMinutes }) => {
      let contract = runningOf(hours, eur(amount));
      let minute = 0;
      let ran = 0;
      let credited = 0;
      const pause = (still: number): void => {
        contract = { ...contract, status: pauseByProvider(contract, at(minute * 60)) };
        minute += Math.max(0, still);
      };
      for (const [runs, still] of turns) {
        ran += runs;
        minute += runs;
        pause(still);
        const resumedAt = at((minute + Math.min(0, still)) * 60);
        contract = { ...contract, status: resume(contract, resumedAt) };
        expect(contract.status.pausedMs ?? 0).toBeGreaterThanOrEqual(credited);
        credited = contract.status.pausedMs ?? 0;
      }
      if (isPausedAtLast) pause(lastMinutes);
      else {
        ran += lastMinutes;
        minute += lastMinutes;
      }
      const gone = failed(contract, at(minute * 60));
      expect(gone.status.pausedMs ?? 0).toBeGreaterThanOrEqual(credited);
      const unused = unusedOf(gone);
      const used = Math.min(hours, Math.ceil(ran / 60)); // a begun hour has been used
      expect(unused).toMatchObject({ hours, unusedHours: hours - used });
      const left = unused?.cost[0]?.amountMinor ?? 0;
      expect(left + costMinor(eur(amount), used)).toBe(costMinor(eur(amount), hours));
    }),
  );
});
