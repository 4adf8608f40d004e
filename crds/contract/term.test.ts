import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aContract, aHolder, at, someTerms, uidOf } from './builders.ts';
import type { LiveContract } from './contract.ts';
import type { ContractSpec } from './spec.ts';
import type { ContractStatus } from './status.ts';
import { endMsOf, judgeTerm } from './term.ts';
import { pauseAtEnd, pauseByProvider, renewTerm, resume, warnOfEnd, withEnd } from './term-steps.ts';

const HOUR = 3600;
const instance = { agentUID: uidOf(1), epoch: 1, externalId: 'dc-1' };
const running = (spec: Partial<ContractSpec> = {}, status: Partial<ContractStatus> = {}): LiveContract =>
  aContract(
    status.phase ?? 'Active',
    { epoch: 1, holders: [aHolder(1, 1)], instance, startsAt: at(0).toISOString(), ...status },
    { spec },
  );
const paused = (spec: Partial<ContractSpec> = {}, status: Partial<ContractStatus> = {}): LiveContract =>
  running(spec, { phase: 'Paused', ...status });
const withGrace = someTerms({ expiry: { action: 'Pause', graceHours: 48, warnHours: [24, 1] } });
const asked = { pause: { requested: true, reason: 'abuse' } };

const cases: { name: string; given: LiveContract; after: number; want: object }[] = [
  {
    name: 'runs until its first warning',
    given: running(),
    after: 0,
    want: { type: 'Runs', nextLookMs: 23 * HOUR * 1000 },
  },
  {
    name: 'warns an hour before',
    given: running(),
    after: 23 * HOUR,
    want: { type: 'Warn', hours: 1, reason: 'EndsSoon' },
  },
  {
    name: 'warns once',
    given: running({}, { warnedHours: 1, warnedEndsAt: at(24 * HOUR).toISOString() }),
    after: 23.5 * HOUR,
    want: { type: 'Runs', nextLookMs: 0.5 * HOUR * 1000 },
  },
  {
    name: 'warns again about another end',
    given: running({ durationHours: 48 }, { warnedHours: 1, warnedEndsAt: at(24 * HOUR).toISOString() }),
    after: 24 * HOUR,
    want: { type: 'Warn', hours: 24, reason: 'EndsSoon' },
  },
  {
    name: 'no warning as long as the whole rental',
    given: running({ durationHours: 1 }),
    after: 1,
    want: { type: 'Runs', nextLookMs: (HOUR - 1) * 1000 },
  },
  { name: 'ends', given: running(), after: 24 * HOUR, want: { type: 'End' } },
  {
    name: 'pauses at its end where the terms say so',
    given: running({ termsSnapshot: withGrace }),
    after: 24 * HOUR,
    want: { type: 'PauseAtEnd', graceEndsAt: at(72 * HOUR).toISOString() },
  },
  {
    name: 'no second grace for an operator that was away',
    given: running({ termsSnapshot: withGrace }),
    after: 73 * HOUR,
    want: { type: 'End' },
  },
  {
    name: 'waits out the grace',
    given: paused({ termsSnapshot: withGrace }, { graceEndsAt: at(72 * HOUR).toISOString() }),
    after: 70 * HOUR,
    want: { type: 'Runs', nextLookMs: 2 * HOUR * 1000 },
  },
  {
    name: 'ends after the grace',
    given: paused({ termsSnapshot: withGrace }, { graceEndsAt: at(72 * HOUR).toISOString() }),
    after: 72 * HOUR,
    want: { type: 'End' },
  },
  {
    name: 'an extension brings it back',
    given: paused(
      { durationHours: 100, termsSnapshot: withGrace },
      { graceEndsAt: at(72 * HOUR).toISOString() },
    ),
    after: 70 * HOUR,
    want: { type: 'Resume' },
  },
  { name: 'the provider pauses', given: running(asked), after: 10, want: { type: 'PauseByProvider' } },
  {
    name: 'the clock of a paused rental stands still',
    given: paused(asked),
    after: 400 * HOUR,
    want: { type: 'Runs', nextLookMs: undefined },
  },
  { name: 'the provider lets it go on', given: paused(), after: 400 * HOUR, want: { type: 'Resume' } },
  {
    name: 'the end comes before a pause',
    given: running(asked),
    after: 24 * HOUR,
    want: { type: 'End' },
  },
  {
    name: 'renews itself',
    given: running({ autoRenew: { hours: 24, maxHours: 48 } }),
    after: 24 * HOUR,
    want: { type: 'Renew', hours: 24 },
  },
  {
    name: 'is not warned while it will be renewed',
    given: running({ autoRenew: { hours: 24, maxHours: 48 } }),
    after: 23.5 * HOUR,
    want: { type: 'Runs', nextLookMs: 0.5 * HOUR * 1000 },
  },
  {
    name: 'no renewal beyond its cap',
    given: running({ autoRenew: { hours: 24, maxHours: 48 } }, { renewedHours: 24 }),
    after: 48 * HOUR,
    want: { type: 'End' },
  },
  {
    name: 'no renewal beyond the longest rental of the offering',
    given: running({ autoRenew: { hours: 24, maxHours: 480 }, termsSnapshot: someTerms({ maxHours: 24 }) }),
    after: 24 * HOUR,
    want: { type: 'End' },
  },
];
describe('judgeTerm', () => {
  for (const { name, given, after, want } of cases)
    test(name, () => expect(judgeTerm(given, { now: at(after) })).toEqual(want));
});

describe('what is done about it', () => {
  test('time paused by the provider is credited to the end', () => {
    const stopped = { ...running(asked), status: pauseByProvider(running(asked), at(HOUR)) };
    // No instant is its end meanwhile; who asks is told what it were if it went on now.
    expect(stopped.status.endsAt).toBeUndefined();
    expect(withEnd(stopped, at(5 * HOUR))).toBe(stopped.status);
    expect(endMsOf(stopped, at(11 * HOUR))).toBe(at(34 * HOUR).getTime());
    const goesOn = resume({ ...stopped, spec: running().spec }, at(11 * HOUR));
    expect(goesOn).toMatchObject({
      phase: 'Active',
      pausedMs: 10 * HOUR * 1000,
      endsAt: at(34 * HOUR).toISOString(),
    });
    expect(goesOn.pausedAt).toBeUndefined();
  });

  test('time in the grace is not', () => {
    const ended = running({ termsSnapshot: withGrace });
    const status = pauseAtEnd(ended, { graceEndsAt: at(72 * HOUR).toISOString(), now: at(24 * HOUR) });
    const goesOn = resume({ ...ended, spec: { ...ended.spec, durationHours: 72 }, status }, at(30 * HOUR));
    expect(goesOn).toMatchObject({
      phase: 'Active',
      reason: 'Extended',
      endsAt: at(72 * HOUR).toISOString(),
    });
    expect(goesOn.graceEndsAt).toBeUndefined();
    expect(goesOn.pausedMs).toBeUndefined();
  });

  test('a warning and a renewal are lines of the history, not moves', () => {
    const contract = running({ autoRenew: { hours: 24, maxHours: 48 } });
    const warned = warnOfEnd(contract, { hours: 1, reason: 'EndsSoon', now: at(23 * HOUR) });
    expect(warned.history?.at(-1)).toMatchObject({ from: 'Active', to: 'Active', reason: 'EndsSoon' });
    const renewed = renewTerm(contract, { hours: 24, now: at(24 * HOUR) });
    expect(renewed).toMatchObject({ renewedHours: 24, endsAt: at(48 * HOUR).toISOString() });
  });
});

test('whatever happens, the tenant gets the hours of the rental, and it ends', () => {
  const life = fc.record({
    hours: fc.integer({ min: 1, max: 100 }),
    graceHours: fc.integer({ min: 0, max: 50 }),
    pauses: fc.array(fc.tuple(fc.nat(120), fc.integer({ min: 1, max: 200 })), { maxLength: 3 }),
    stepMinutes: fc.integer({ min: 7, max: 90 }),
  });
  fc.assert(
    fc.property(life, ({ hours, graceHours, pauses, stepMinutes }) => {
      const terms = someTerms({ expiry: { action: 'Pause', graceHours, warnHours: [24, 1] } });
      let contract = running({ durationHours: hours, termsSnapshot: terms });
      let activeMs = 0;
      let isOver = false;
      for (let minute = 0; minute < 60 * 1500 && !isOver; minute += stepMinutes) {
        const isPaused = pauses.some(
          ([from, length]) => minute >= from * 60 && minute < (from + length) * 60,
        );
        contract = { ...contract, spec: { ...contract.spec, pause: { requested: isPaused } } };
        const now = at(minute * 60);
        for (let again = 0; again < 4 && !isOver; again++) {
          const verdict = judgeTerm(contract, { now });
          if (verdict.type === 'Runs') break;
          if (verdict.type === 'End') isOver = true;
          else if (verdict.type === 'PauseByProvider')
            contract = { ...contract, status: pauseByProvider(contract, now) };
          else if (verdict.type === 'PauseAtEnd')
            contract = { ...contract, status: pauseAtEnd(contract, { ...verdict, now }) };
          else if (verdict.type === 'Resume') contract = { ...contract, status: resume(contract, now) };
          else if (verdict.type === 'Warn')
            contract = { ...contract, status: warnOfEnd(contract, { ...verdict, now }) };
          else throw new Error(`nothing is to be renewed: ${verdict.type}`);
        }
        if (contract.status.phase === 'Active' && !isOver) activeMs += stepMinutes * 60_000;
      }
      expect(isOver).toBe(true);
      const slackMs = (pauses.length * 2 + 2) * stepMinutes * 60_000;
      expect(Math.abs(activeMs - hours * HOUR * 1000)).toBeLessThanOrEqual(slackMs);
      expect(withEnd(contract, at(0)).endsAt).toBeDefined();
    }),
  );
});

test('what was renewed and what was extended afterwards stay within the terms together', () => {
  const terms = { termsSnapshot: someTerms({ maxHours: 30 }), durationHours: 30 };
  expect(withEnd(running(terms, { renewedHours: 20 }), at(0)).endsAt).toBe(at(30 * HOUR).toISOString());
  expect(withEnd(running({ ...terms, termsSnapshot: someTerms() }, { renewedHours: 20 }), at(0)).endsAt).toBe(
    at(50 * HOUR).toISOString(),
  );
});
