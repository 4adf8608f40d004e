import { expect, test } from 'vitest';
import { aContract, at, uidOf } from '../../crds/contract/builders.ts';
import { createQueues } from './queues.ts';

const waiting = (n: number, seconds: number) =>
  aContract(
    'Accepted',
    {},
    {
      metadata: { uid: uidOf(n), creationTimestamp: at(seconds).toISOString() },
    },
  );
/** Three that came in another order than that of their age. */
function three() {
  const queues = createQueues();
  queues.put(waiting(2, 20), ['k']);
  queues.put(waiting(3, 30), ['k', 'other']);
  queues.put(waiting(1, 10), ['k']);
  return queues;
}
const under = (queues: ReturnType<typeof createQueues>, key = 'k'): number[] =>
  [...queues.under(key)].map((uid) => Number(uid.slice(-3)));

test('the oldest is first, whenever it came', () => {
  const queues = three();
  expect(under(queues)).toEqual([1, 2, 3]);
  queues.put(waiting(4, 15), ['k']); // once it is in order, it stays so
  expect(under(queues)).toEqual([1, 4, 2, 3]);
  expect(queues.placeOf(uidOf(2))).toEqual({ ahead: 2, waiting: 4 });
});

test('what waits no more is in no queue', () => {
  const queues = three();
  queues.put(waiting(3, 30), []);
  expect([under(queues), under(queues, 'other')]).toEqual([[1, 2], []]);
  queues.remove(uidOf(1));
  expect(under(queues)).toEqual([2]);
  expect(queues.placeOf(uidOf(1))).toBeUndefined();
});

test('a change of what waits is seen by the version of its keys alone', () => {
  const queues = three();
  const before = [queues.versionOf('k'), queues.versionOf('other')];
  queues.put(waiting(1, 10), ['k']); // the same place, but perhaps another gap
  expect(queues.versionOf('k')).not.toBe(before[0]);
  expect(queues.versionOf('other')).toBe(before[1]);
});

test('a key under which nothing waits any more is forgotten, and its versions never come back', () => {
  const queues = createQueues();
  const seen = new Set<number>();
  for (let n = 0; n < 3; n++) {
    queues.put(waiting(1, 10), ['k']);
    seen.add(queues.versionOf('k'));
    queues.remove(uidOf(1));
    expect(queues.versionOf('k')).toBe(0);
  }
  expect([seen.size, seen.has(0)]).toEqual([3, false]);
});

test('ten thousand are taken from the head and put back without a noticeable wait', () => {
  const queues = createQueues();
  for (let n = 0; n < 10_000; n++) queues.put(waiting(n, 10_000 - n), ['k']);
  const [first] = queues.under('k');
  expect(first).toBe(uidOf(9999));
  for (let n = 0; n < 1000; n++) {
    const [head = ''] = queues.under('k');
    queues.remove(head);
  }
  expect([...queues.under('k')]).toHaveLength(9000);
});
