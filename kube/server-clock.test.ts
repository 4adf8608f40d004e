/** Facades agree on the time, whatever their own clocks say. */
import { expect, test } from 'vitest';
import { fakeClock } from '../lib/fake-clock.ts';
import { serverClock } from './server-clock.ts';

const MINUTE_MS = 60_000;

/** A machine whose clock is off, and an API server whose answers it has heard. */
function machine(offMs: number) {
  const time = fakeClock();
  const wall = { jumpedMs: offMs };
  const heard: { offsetMs: number | undefined } = { offsetMs: -offMs };
  const clock = {
    now: () => new Date(time.now().getTime() + wall.jumpedMs),
    monotonicMs: () => time.monotonicMs(),
    sleep: (ms: number, options?: { signal?: AbortSignal | undefined }) => time.sleep(ms, options),
    after: (ms: number, run: () => void) => time.after(ms, run),
  };
  const skew = () => (heard.offsetMs === undefined ? undefined : { offsetMs: heard.offsetMs });
  const server = serverClock(clock, skew);
  /** How far it is from the API server's clock. */
  const errorMs = (): number => server.now().getTime() - time.now().getTime();
  return { time, wall, heard, errorMs };
}

test('its own clock does not matter once the API server has answered', () => {
  for (const offMs of [-10 * MINUTE_MS, 0, 10 * MINUTE_MS]) expect(machine(offMs).errorMs()).toBe(0);
});

test('before the first answer it has only its own', () => {
  const { heard, errorMs } = machine(5000);
  heard.offsetMs = undefined;
  expect(errorMs()).toBe(5000);
});

test('a jump of its own clock is not followed, not even before the next answer', async () => {
  const { time, wall, heard, errorMs } = machine(0);
  expect(errorMs()).toBe(0);
  wall.jumpedMs = 10 * MINUTE_MS;
  expect(errorMs()).toBe(0);
  await time.advance(10_000);
  expect(errorMs()).toBe(0);
  heard.offsetMs = -10 * MINUTE_MS;
  expect(errorMs()).toBe(0);
});

test("a correction of the API server's clock is followed after half a minute, a closer estimate at once", async () => {
  const { time, heard, errorMs } = machine(0);
  expect(errorMs()).toBe(0);
  heard.offsetMs = 500;
  expect(errorMs()).toBe(500);
  heard.offsetMs = MINUTE_MS;
  expect(errorMs()).toBe(500);
  await time.advance(29_000);
  expect(errorMs()).toBe(500);
  await time.advance(1000);
  expect(errorMs()).toBe(MINUTE_MS);
});
