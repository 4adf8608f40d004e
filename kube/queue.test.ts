import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fakeClock } from '../lib/fake-clock.ts';
import { createQueue } from './queue.ts';

const signal = new AbortController().signal;

function setUp() {
  const clock = fakeClock();
  const facts: string[] = [];
  const queue = createQueue({ name: 'test', clock, observe: ({ type }) => facts.push(type) });
  return { clock, queue, facts };
}

test('a key that waits is there once', async () => {
  const { queue } = setUp();
  for (let i = 0; i < 3; i++) queue.add('a');
  expect(queue.stats().depth).toBe(1);
  expect(await queue.get(signal)).toBe('a');
  expect(queue.stats().depth).toBe(0);
});

test('a key in hand is handed out again only after it is done, and once', async () => {
  const { queue } = setUp();
  queue.add('a');
  await queue.get(signal);
  queue.add('a');
  queue.add('a');
  expect(queue.stats().depth).toBe(0);
  const next = queue.get(signal);
  queue.done('a');
  expect(await next).toBe('a');
  queue.done('a');
  expect(queue.stats()).toEqual({ depth: 0, unfinishedMs: 0, longestRunningMs: 0 });
});

test('normal keys go before low ones, first come first served, and a low key can be promoted', async () => {
  const { queue } = setUp();
  for (const key of ['l1', 'l2', 'l3']) queue.add(key, 'Low');
  queue.add('n1');
  queue.add('l2');
  const order = [];
  for (let i = 0; i < 4; i++) order.push(await queue.get(signal));
  expect(order).toEqual(['n1', 'l2', 'l1', 'l3']);
});

test('backoff begins at 5 ms, doubles up to 1000 s, and begins again after forget', async () => {
  const { queue } = setUp();
  const delays = Array.from({ length: 20 }, () => queue.addRateLimited('a'));
  expect(delays.slice(0, 4)).toEqual([5, 10, 20, 40]);
  expect(delays.at(-1)).toBe(1_000_000);
  queue.forget('a');
  expect(queue.addRateLimited('a')).toBe(5);
});

test('delayed keys come when they are due, the earliest plan wins, on one timer', async () => {
  const { queue, clock } = setUp();
  queue.addAfter('late', 500);
  queue.addAfter('early', 100);
  queue.addAfter('late', 300);
  queue.addAfter('early', 400);
  expect(clock.pending()).toBe(1);
  await clock.advance(99);
  expect(queue.stats().depth).toBe(0);
  await clock.advance(1);
  expect(await queue.get(signal)).toBe('early');
  await clock.advance(200);
  expect(await queue.get(signal)).toBe('late');
  queue.done('early');
  queue.done('late');
  await clock.advance(1000);
  expect(queue.stats().depth).toBe(0);
});

test('shutting down wakes who waits and cancels what is planned', async () => {
  const { queue, clock } = setUp();
  const waiting = queue.get(signal);
  queue.addAfter('a', 10);
  queue.shutDown();
  expect(await waiting).toBeUndefined();
  expect(clock.pending()).toBe(0);
  queue.add('b');
  expect(await queue.get(signal)).toBeUndefined();
});

test('who gives up waiting takes no key with him', async () => {
  const { queue } = setUp();
  const gaveUp = new AbortController();
  const first = queue.get(gaveUp.signal);
  const second = queue.get(signal);
  gaveUp.abort();
  expect(await first).toBeUndefined();
  queue.add('a');
  expect(await second).toBe('a');
});

test('stats say how long the keys in hand have been there', async () => {
  const { queue, clock } = setUp();
  for (const key of ['a', 'b']) queue.add(key);
  await queue.get(signal);
  await clock.advance(1000);
  await queue.get(signal);
  await clock.advance(500);
  expect(queue.stats()).toEqual({ depth: 0, unfinishedMs: 2000, longestRunningMs: 1500 });
});

test('whatever is added, no key is lost, none runs twice at once, and each ends after its last add', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.tuple(fc.constantFrom('add', 'low', 'after', 'get', 'done'), fc.constantFrom('a', 'b', 'c')),
      ),
      async (steps) => {
        const { queue, clock } = setUp();
        const inHand = new Set<string>();
        const owed = new Set<string>();
        const taken = (key: string | undefined): void => {
          if (key === undefined) return;
          expect(inHand.has(key)).toBe(false);
          inHand.add(key);
          owed.delete(key);
        };
        for (const [step, key] of steps) {
          if (step === 'add' || step === 'low') queue.add(key, step === 'add' ? 'Normal' : 'Low');
          if (step === 'after') queue.addAfter(key, 10);
          if (step !== 'get' && step !== 'done') owed.add(key);
          if (step === 'get' && queue.stats().depth > 0) taken(await queue.get(signal));
          if (step === 'done') {
            queue.done(key);
            inHand.delete(key);
          }
        }
        await clock.advance(10);
        for (const key of inHand) queue.done(key);
        inHand.clear();
        while (queue.stats().depth > 0) taken(await queue.get(signal));
        expect([...owed]).toEqual([]);
      },
    ),
  ));
