/**
 * Keys that are to be added later: one timer for all of them, set to the earliest. A binary heap by instant; a key
 * that is planned anew for an earlier instant leaves its old entry behind, which is skipped when it comes up.
 */
import type { Clock, Timer } from '../lib/clock.ts';
import type { ObjectKey } from './object.ts';
import type { Priority } from './queue.ts';

type Entry = Readonly<{ key: ObjectKey; atMs: number; priority: Priority }>;

export type Delays = Readonly<{
  /** The earliest plan of a key wins, and the higher priority of the two. */
  plan: (key: ObjectKey, ms: number, priority: Priority) => void;
  clear: () => void;
  size: () => number;
}>;

export function createDelays(clock: Clock, add: (key: ObjectKey, priority: Priority) => void): Delays {
  const heap: Entry[] = [];
  const planned = new Map<ObjectKey, Entry>();
  let timer: Timer | undefined;
  let timerAtMs = Number.POSITIVE_INFINITY;

  const arm = (): void => {
    const first = heap[0];
    if (!first || first.atMs >= timerAtMs) return;
    timer?.cancel();
    timerAtMs = first.atMs;
    timer = clock.after(Math.max(0, first.atMs - clock.monotonicMs()), fire);
  };
  const fire = (): void => {
    timerAtMs = Number.POSITIVE_INFINITY;
    for (let first = heap[0]; first && first.atMs <= clock.monotonicMs(); first = heap[0]) {
      pop(heap);
      if (planned.get(first.key) !== first) continue;
      planned.delete(first.key);
      add(first.key, first.priority);
    }
    arm();
  };

  return {
    plan: (key, ms, priority) => {
      const known = planned.get(key);
      const atMs = Math.min(known?.atMs ?? Number.POSITIVE_INFINITY, clock.monotonicMs() + ms);
      const higher = known?.priority === 'Normal' ? 'Normal' : priority;
      if (known && known.atMs === atMs && known.priority === higher) return;
      const entry: Entry = { key, atMs, priority: higher };
      planned.set(key, entry);
      push(heap, entry);
      arm();
    },
    clear: () => {
      timer?.cancel();
      heap.length = 0;
      planned.clear();
    },
    size: () => planned.size,
  };
}

function push(heap: Entry[], entry: Entry): void {
  let at = heap.push(entry) - 1;
  while (at > 0) {
    const parentAt = (at - 1) >> 1;
    const parent = heap[parentAt];
    if (!parent || parent.atMs <= entry.atMs) break;
    heap[at] = parent;
    at = parentAt;
  }
  heap[at] = entry;
}

function pop(heap: Entry[]): void {
  const last = heap.pop();
  if (!last || heap.length === 0) return;
  let at = 0;
  for (;;) {
    const left = heap[2 * at + 1];
    const right = heap[2 * at + 2];
    const child = right && left && right.atMs < left.atMs ? right : left;
    if (!child || child.atMs >= last.atMs) break;
    heap[at] = child;
    at = child === left ? 2 * at + 1 : 2 * at + 2;
  }
  heap[at] = last;
}
