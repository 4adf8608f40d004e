import { describe, expect, test } from 'vitest';
import { AgentPoolSpec } from '../agent-pool.ts';
import { aContract, aPool, at } from '../contract/builders.ts';
import { ATTEMPT_DEADLINE_MS, FALLBACK_AFTER_MAX_MS, OVERALL_DEADLINE_MS } from '../contract/numbers.ts';
import { loaded, placeIn, someAgent, type World } from './builders.ts';
import { tenantMessageUntil } from './deadline.ts';
import { explain } from './explain.ts';
import { providerView, tenantView } from './views.ts';

const full = { facts: { load: loaded(32) } };
const withFallbackAfter = (afterSeconds: number): World => ({
  pools: [
    aPool('europe-script', { fallbackPools: [{ name: 'later', afterSeconds }] }),
    aPool('later', { provisionerType: 'hetzner' }),
  ],
  agents: [someAgent(1, full), someAgent(2, { pool: 'later' })],
});

test('whoever is asked last has as long as an attempt may take', () => {
  const allows = (afterSeconds: number) =>
    AgentPoolSpec.shape.fallbackPools.safeParse([{ name: 'later', afterSeconds }]).success;
  const most = FALLBACK_AFTER_MAX_MS / 1000;
  expect([allows(most), allows(most + 1)]).toEqual([true, false]);
  expect(FALLBACK_AFTER_MAX_MS + ATTEMPT_DEADLINE_MS).toBeLessThanOrEqual(OVERALL_DEADLINE_MS);
  const placement = placeIn(withFallbackAfter(most), aContract(), { now: at(0) });
  expect(explain(placement).tenantMessage).toContain('Next attempt elsewhere at 12:30:00 UTC.');
});

describe('what comes when the contract has ended is not promised', () => {
  // As a pool may still have it that was written before there was a limit.
  const placement = placeIn(withFallbackAfter(3600), aContract(), { now: at(0) });
  const told = explain(placement);

  test('to its provider', () => {
    expect(told.reason).toBe('NoEligibleAgent');
    expect(told.message).toBe(
      [
        '0 of 2 agents can take 1 CPU, 1Gi memory, 1Gi disk in europe (script):',
        '  europe-script/node-1: full: 0 CPU free of 32 CPU',
        '  later/node-2: from 13:00:00 UTC on (fallback after 3600 s): too late, it is tried until 13:00:00 UTC',
        'What helps: free 1 CPU on node-1.',
      ].join('\n'),
    );
    const view = providerView(placement, { waitingSinceMs: at(0).getTime() });
    expect(view).toMatchObject({ againAt: null, passedOver: [{}, { whatHelps: null, againAt: null }] });
  });

  test('to its tenant', () => {
    expect(told.tenantMessage).not.toContain('elsewhere');
    expect(tenantView(placement)).toMatchObject({
      reasons: [{ reason: 'InsufficientCPU' }],
      againAt: null,
    });
  });

  test('nor that only a fallback is left', () => {
    const { pools = [] } = withFallbackAfter(3600);
    const agents = [someAgent(2, { pool: 'later' })];
    const reasonAfter = (seconds: number) =>
      explain(placeIn({ pools, agents }, aContract('Accepted', deadline(seconds)), { now: at(0) })).reason;
    expect([reasonAfter(3600), reasonAfter(3601)]).toEqual(['NoEligibleAgent', 'AwaitingFallback']);
  });

  test('nor another try', () => {
    const pause = { nextAttemptAt: at(300).toISOString() };
    const triedUntil = (seconds: number) =>
      explain(
        placeIn({ agents: [someAgent(1)] }, aContract('Accepted', { ...pause, ...deadline(seconds) }), {
          now: at(0),
        }),
      );
    expect(triedUntil(301).tenantMessage).toContain('Next attempt at 12:05:00 UTC.');
    expect(triedUntil(300).tenantMessage).toContain('there is no time left for another one');
    expect(triedUntil(300).message).toContain(
      'not before 12:05:00 UTC: too late, it is tried until 12:05:00 UTC.',
    );
  });
});

const deadline = (seconds: number) => ({ provisionBy: at(seconds).toISOString() });

describe('the tenant reads until when it is tried', () => {
  const waiting = { reason: 'NoCapacity', tenantMessage: 'No machine is free.' } as const;
  const until = (status: object) => tenantMessageUntil(waiting, { ...deadline(3600), ...status, now: at(0) });
  test.each([
    [{}, 'It is tried until 13:00:00 UTC; then it ends and costs nothing.'],
    [deadline(86_400), 'It is tried until 2026-01-02 12:00:00 UTC; then it ends and costs nothing.'],
    [{ startsAt: at(-9).toISOString() }, 'It is tried until 13:00:00 UTC; then it ends.'],
  ])('%o', (status, said) => expect(until(status)).toBe(`No machine is free. ${said}`));

  test('but not of what is on its way, or waits for no agent', () => {
    const onItsWay = { reason: 'AwaitingAgent', tenantMessage: 'On its way.' } as const;
    expect(tenantMessageUntil(onItsWay, { ...deadline(3600), now: at(0) })).toBe('On its way.');
    expect(tenantMessageUntil(waiting, { now: at(0) })).toBe('No machine is free.');
  });
});
