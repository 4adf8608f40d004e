import { expect, test } from 'vitest';
import { createSilenceWatch } from './silence-watch.ts';

test('counts from the last change that was seen, never from a foreign clock', () => {
  const watch = createSilenceWatch();
  expect(watch.silentMs('a', { mark: '1', monotonicMs: 1000 })).toBe(0);
  expect(watch.silentMs('a', { mark: '1', monotonicMs: 4000 })).toBe(3000);
  expect(watch.silentMs('a', { mark: '2', monotonicMs: 5000 })).toBe(0);
  expect(watch.silentMs('a', { mark: '2', monotonicMs: 5500 })).toBe(500);
});

test('what was silent before this process began keeps its silence', () => {
  const watch = createSilenceWatch();
  expect(watch.silentMs('lease', { mark: 'old', monotonicMs: 10, initialMs: 60_000 })).toBe(60_000);
  expect(watch.silentMs('lease', { mark: 'old', monotonicMs: 1010, initialMs: 0 })).toBe(61_000);
  watch.forget('lease');
  expect(watch.silentMs('lease', { mark: 'old', monotonicMs: 1010 })).toBe(0);
});
