import { expect, test } from 'vitest';
import { createSkewEstimate } from './clock-skew.ts';

const httpDate = (ms: number): string => new Date(Math.floor(ms / 1000) * 1000).toUTCString();

test('many answers narrow the skew down to about a tenth of a second', () => {
  const estimate = createSkewEstimate();
  const aheadMs = 7340;
  for (let local = 1_800_000_000_000; local < 1_800_000_003_000; local += 130) {
    estimate.learn({ dateHeader: httpDate(local + 10 + aheadMs), sentAtMs: local, receivedAtMs: local + 20 });
  }
  const skew = estimate.current();
  expect(skew?.uncertaintyMs).toBeLessThan(100);
  expect(Math.abs((skew?.offsetMs ?? 0) - aheadMs)).toBeLessThanOrEqual(skew?.uncertaintyMs ?? 0);
});

test('a corrected clock is learnt anew', () => {
  const estimate = createSkewEstimate();
  const at = 1_800_000_000_500;
  estimate.learn({ dateHeader: httpDate(at + 60_000), sentAtMs: at, receivedAtMs: at + 5 });
  estimate.learn({ dateHeader: httpDate(at + 1000), sentAtMs: at + 1000, receivedAtMs: at + 1005 });
  expect(Math.abs(estimate.current()?.offsetMs ?? 60_000)).toBeLessThan(1000);
});

test('answers without a date teach nothing', () => {
  const estimate = createSkewEstimate();
  estimate.learn({ dateHeader: undefined, sentAtMs: 0, receivedAtMs: 1 });
  estimate.learn({ dateHeader: 'yesterday', sentAtMs: 0, receivedAtMs: 1 });
  expect(estimate.current()).toBeUndefined();
});
