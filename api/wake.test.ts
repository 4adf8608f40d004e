import { expect, test } from 'vitest';
import { fakeClock } from '../lib/fake-clock.ts';
import { untilCached, Wakes } from './wake.ts';

const never = new AbortController().signal;

test('wakes who waits for the key, and nobody else; leaves nothing behind', async () => {
  const wakes = new Wakes(fakeClock());
  const woken: string[] = [];
  const one = wakes.wait(['a', 'b'], { ms: 1000, signal: never }).then(() => woken.push('one'));
  void wakes.wait(['c'], { ms: 1000, signal: never }).then(() => woken.push('two'));
  wakes.notify('b');
  await one;
  expect(woken).toEqual(['one']);
  expect(wakes.size).toBe(1);
});

test('ends when the time is over or the caller has gone', async () => {
  const clock = fakeClock();
  const wakes = new Wakes(clock);
  const late = wakes.wait(['a'], { ms: 1000, signal: never });
  await clock.advance(1000);
  await late;
  const gone = new AbortController();
  const waiting = wakes.wait(['a'], { ms: 1000, signal: gone.signal });
  gone.abort();
  await waiting;
  expect(wakes.size).toBe(0);
  expect(clock.pending()).toBe(0);
});

test('what happens between arming and waiting is not missed', async () => {
  const wakes = new Wakes(fakeClock());
  const armed = wakes.arm(['a'], { ms: 1000, signal: never });
  wakes.notify('a');
  await armed.woken;
  expect(wakes.size).toBe(0);
});

test('a cache that lags is waited for, at most a second', async () => {
  const clock = fakeClock();
  const wakes = new Wakes(clock);
  let isThere = false;
  const comes = untilCached({ wakes, clock, stopping: never }, { keys: ['a'], isThere: () => isThere });
  wakes.notify('a'); // of something else under the same key
  isThere = true;
  wakes.notify('a');
  expect(await comes).toBe(true);
  const stays = untilCached({ wakes, clock, stopping: never }, { keys: ['b'], isThere: () => false });
  await clock.advance(1000);
  expect(await stays).toBe(false);
});
