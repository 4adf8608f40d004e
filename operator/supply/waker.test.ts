import { describe, expect, test } from 'vitest';
import { fakeClock } from '../../lib/fake-clock.ts';
import { createWaker, SLICE } from './waker.ts';

const KEY = 'acme/region/europe/script';

function stage(waiting: number) {
  const clock = fakeClock();
  const woken: string[] = [];
  let names = Array.from({ length: waiting }, (_, n) => `acme/c-${n}`);
  const waker = createWaker({
    clock,
    waitingUnder: (key) => (key === KEY ? names : []),
    wake: (name) => void woken.push(name),
  });
  const taken = () => woken.splice(0);
  const setNames = (next: string[]): void => {
    names = next;
  };
  return { clock, waker, taken, setNames, all: names };
}

describe('what waits under a key', () => {
  test('is woken at once when something got better', () => {
    const { waker, taken, all } = stage(3);
    waker.mark(KEY, 'Now');
    expect(taken()).toEqual(all);
  });

  test('is woken a second later when it only got worse: a burst of claims costs one look', async () => {
    const { clock, waker, taken, all } = stage(3);
    for (let n = 0; n < 10; n++) waker.mark(KEY, 'Soon');
    expect(taken()).toEqual([]);
    await clock.advance(1000);
    expect(taken()).toEqual(all);
    await clock.advance(60_000);
    expect(taken()).toEqual([]);
  });

  test('something better does not wait for something worse', () => {
    const { waker, taken, all } = stage(3);
    waker.mark(KEY, 'Soon');
    waker.mark(KEY, 'Now');
    expect(taken()).toEqual(all);
  });

  test('of many only so many are woken a second, in turns, and all of them once', async () => {
    const { clock, waker, taken, all } = stage(3 * SLICE + 5);
    waker.mark(KEY, 'Now');
    const slices = [taken()];
    for (let second = 0; second < 6; second++) {
      await clock.advance(1000);
      slices.push(taken());
    }
    expect(slices.map(({ length }) => length)).toEqual([SLICE, SLICE, SLICE, 5, 0, 0, 0]);
    expect(slices.flat()).toEqual(all);
  });

  test('however often it is marked: never more than a slice a second, and those of before the mark once more', async () => {
    const { clock, waker, taken } = stage(2 * SLICE);
    waker.mark(KEY, 'Now');
    expect(taken()).toHaveLength(SLICE);
    for (let n = 0; n < 1000; n++) waker.mark(KEY, 'Now');
    expect(taken()).toEqual([]);
    const counts: number[] = [];
    for (let second = 0; second < 5; second++) {
      await clock.advance(1000);
      counts.push(taken().length);
    }
    expect(counts).toEqual([SLICE, SLICE, SLICE, 0, 0]);
  });

  test('a mark right after a look waits for the next second, with what waits then', async () => {
    const { clock, waker, taken, setNames } = stage(1);
    waker.mark(KEY, 'Now');
    taken();
    setNames(['acme/new']);
    waker.mark(KEY, 'Now');
    expect(taken()).toEqual([]);
    await clock.advance(1000);
    expect(taken()).toEqual(['acme/new']);
  });

  test('nothing is woken under another key, nor after the stop, and no timer is left', async () => {
    const { clock, waker, taken } = stage(2 * SLICE);
    waker.mark('acme/pool/other', 'Now');
    expect(taken()).toEqual([]);
    waker.mark(KEY, 'Now');
    taken();
    waker.stop();
    waker.mark(KEY, 'Now');
    await clock.advance(5000);
    expect(taken()).toEqual([]);
    expect(clock.pending()).toBe(0);
  });
});
