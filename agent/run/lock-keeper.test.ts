import { afterEach, expect, test, vi } from 'vitest';
import type { LockResponse } from '../../crds/wire/lock.ts';
import { fakeClock } from '../../lib/fake-clock.ts';
import { createLogger } from '../../lib/log.ts';
import { LIMITS } from '../testing/agent-world.ts';
import { keepLock, LockLost } from './lock-keeper.ts';

const TTL = 300_000;
const granted: LockResponse = { acquired: true, expiresAtNs: 0, expiresInMs: TTL, then: 'Continue' };
const lapsed: LockResponse = { acquired: false, expiresAtNs: 0, then: 'Continue' };

const locks: { end: () => void }[] = [];
afterEach(() => {
  for (const lock of locks.splice(0)) lock.end();
});

/** `answers` are used up one by one, the last one stays. */
function aLock(answers: (LockResponse | Error)[], { lockTimeoutMs = TTL, sentAtMs = 0 } = {}) {
  const clock = fakeClock();
  const asked: number[] = [];
  const renew = async (): Promise<LockResponse> => {
    asked.push(clock.monotonicMs());
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer instanceof Error) throw answer;
    return answer ?? granted;
  };
  const onDestroy = vi.fn();
  const log = createLogger({ name: 'test', level: 'silent' });
  const lock = keepLock(
    { facade: { renew }, clock, log, limits: { ...LIMITS, lockTimeoutMs } },
    { grant: { contractId: 'c', epoch: 1 }, answer: granted, sentAtMs, onDestroy },
  );
  locks.push(lock);
  return { clock, asked, lock, onDestroy };
}

test('is renewed at a third of its life, and lasts', async () => {
  const { clock, asked, lock } = aLock([granted]);
  await clock.advance(TTL * 2);
  expect(asked.slice(0, 3)).toEqual([100_000, 200_000, 300_000]);
  expect(lock.signal.aborted).toBe(false);
  expect(lock.leftMs()).toBeGreaterThan(TTL / 2);
});

test('asks again soon when there is no answer, and is lost exactly at its end', async () => {
  const { clock, asked, lock } = aLock([new Error('no answer')]);
  await clock.advance(TTL - 1);
  expect(asked.length).toBeGreaterThan(8);
  expect(lock.signal.aborted).toBe(false);
  expect(lock.leftMs()).toBe(1);
  await clock.advance(1);
  expect(lock.signal.reason).toBeInstanceOf(LockLost);
  expect(lock.leftMs()).toBe(0);
});

test('is counted from before the claim was sent, on a clock that nobody corrects', async () => {
  const { clock, lock } = aLock([new Error('no answer')], { sentAtMs: -20_000 });
  expect(lock.leftMs()).toBe(TTL - 20_000);
  clock.jumpWallClock(3_600_000);
  expect(lock.leftMs()).toBe(TTL - 20_000);
});

test('is trusted no longer than the configuration says', () => {
  expect(aLock([granted], { lockTimeoutMs: 60_000 }).lock.leftMs()).toBe(60_000);
});

test('lapses when the facade does not count it any more', async () => {
  const { clock, lock, onDestroy } = aLock([lapsed]);
  await clock.advance(TTL / 3);
  expect(lock.signal.aborted).toBe(true);
  expect(onDestroy).not.toHaveBeenCalled();
});

test('passes the order to destroy on, and asks no more', async () => {
  const { clock, asked, lock, onDestroy } = aLock([{ ...lapsed, then: 'Destroy' }]);
  await clock.advance(TTL * 2);
  expect(onDestroy).toHaveBeenCalledTimes(1);
  expect(asked).toHaveLength(1);
  expect(lock.leftMs()).toBe(0);
});

test('an end leaves nothing waiting', async () => {
  const { clock, asked, lock } = aLock([granted]);
  const renewed = lock.renewed();
  lock.end();
  await renewed;
  await clock.advance(TTL * 2);
  expect(asked).toEqual([]);
  expect(clock.pending()).toBe(0);
});
