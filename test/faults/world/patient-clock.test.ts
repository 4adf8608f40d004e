/** It runs ahead of a machine that keeps up, and waits for one that does not. */
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../lib/clock.ts';
import { patientClock } from './patient-clock.ts';

function start(times: number) {
  const clock = patientClock(times);
  onTestFinished(clock.stop);
  return clock;
}

test('sleepers wake in the order of their times, an aborted one with its reason', async () => {
  const clock = start(1000);
  const order: string[] = [];
  const abort = new AbortController();
  const aborted = clock.sleep(60_000_000, { signal: abort.signal });
  await Promise.all([
    clock.sleep(300).then(() => order.push('late')),
    clock.sleep(100).then(() => order.push('early')),
  ]);
  expect(order).toEqual(['early', 'late']);
  abort.abort(new Error('enough'));
  await expect(aborted).rejects.toThrow('enough');
});

test('a machine that stands still costs no time', async () => {
  const clock = start(10);
  await clock.sleep(100);
  const before = clock.monotonicMs();
  const untilMs = systemClock.monotonicMs() + 300;
  while (systemClock.monotonicMs() < untilMs); // nobody else gets a turn
  await clock.sleep(1);
  expect(clock.monotonicMs() - before).toBeLessThan(1000);
});

test('while an answer is owed, time nearly stands still', async () => {
  const clock = start(10);
  const before = clock.monotonicMs();
  const over = clock.begin();
  await systemClock.sleep(300);
  const waited = clock.monotonicMs() - before;
  over();
  expect(waited).toBeLessThan(1000); // 3000 without
});
