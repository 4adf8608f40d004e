/** The queue against a model that is slow and obvious: arrays, and a clock that the test moves. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fakeClock } from '../lib/fake-clock.ts';
import { createQueue, type Priority } from './queue.ts';

type Step = Readonly<{
  kind: 'add' | 'after' | 'rateLimited' | 'forget' | 'get' | 'done' | 'advance';
  key: string;
  priority: Priority;
  ms: number;
}>;

const KEYS = ['a', 'b', 'c', 'd', 'e'];

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom(
      ...([
        'add',
        'add',
        'add',
        'add',
        'after',
        'rateLimited',
        'forget',
        'get',
        'get',
        'done',
        'done',
        'advance',
      ] as const),
    ),
    key: fc.constantFrom(...KEYS),
    priority: fc.constantFrom<Priority>('Normal', 'Low'),
    ms: fc.nat(40),
  }),
  { minLength: 10, maxLength: 60 },
);

/** What is said of the queue in its first lines, word by word. */
class Model {
  #waiting: { key: string; priority: Priority }[] = [];
  #inHand = new Map<string, Priority | undefined>();
  #planned: { key: string; atMs: number; priority: Priority }[] = [];
  #failures = new Map<string, number>();
  nowMs = 0;

  add(key: string, priority: Priority): void {
    if (this.#inHand.has(key)) {
      if (this.#inHand.get(key) !== 'Normal') this.#inHand.set(key, priority);
      return;
    }
    const known = this.#waiting.find((entry) => entry.key === key);
    if (known?.priority === 'Normal' || (known && priority === 'Low')) return;
    this.#waiting = [...this.#waiting.filter((entry) => entry.key !== key), { key, priority }];
  }
  plan(key: string, ms: number, priority: Priority): void {
    if (ms <= 0) {
      this.add(key, priority);
      return;
    }
    const known = this.#planned.find((entry) => entry.key === key);
    const atMs = Math.min(known?.atMs ?? Number.POSITIVE_INFINITY, this.nowMs + ms);
    const higher = known?.priority === 'Normal' ? 'Normal' : priority;
    this.#planned = [...this.#planned.filter((entry) => entry.key !== key), { key, atMs, priority: higher }];
  }
  rateLimited(key: string): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.plan(key, 5 * 2 ** failures, 'Normal');
    return 5 * 2 ** failures;
  }
  forget(key: string): void {
    this.#failures.delete(key);
  }
  get(): string | undefined {
    const first = this.#waiting.find(({ priority }) => priority === 'Normal') ?? this.#waiting[0];
    if (!first) return undefined;
    this.#waiting = this.#waiting.filter((entry) => entry !== first);
    this.#inHand.set(first.key, undefined);
    return first.key;
  }
  done(key: string): void {
    if (!this.#inHand.has(key)) return;
    const again = this.#inHand.get(key);
    this.#inHand.delete(key);
    if (again) this.add(key, again);
  }
  advance(ms: number): void {
    this.nowMs += ms;
    const due = this.#planned.filter(({ atMs }) => atMs <= this.nowMs).sort((a, b) => a.atMs - b.atMs);
    this.#planned = this.#planned.filter((entry) => !due.includes(entry));
    for (const { key, priority } of due) this.add(key, priority);
  }
  depth(): number {
    return this.#waiting.length;
  }
}

test('the queue does what its model does, step by step, and in the same order', () =>
  fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const clock = fakeClock();
      const queue = createQueue({ name: 'test', clock, observe: () => {} });
      const model = new Model();
      const move = async (ms: number): Promise<void> => {
        await clock.advance(ms);
        model.nowMs = clock.monotonicMs() - ms; // the same instant to the last bit
        model.advance(ms);
        model.nowMs = clock.monotonicMs();
      };
      const run = async ({ kind, key, priority, ms }: Step): Promise<void> => {
        if (kind === 'add') {
          queue.add(key, priority);
          model.add(key, priority);
        } else if (kind === 'after') {
          queue.addAfter(key, ms, priority);
          model.plan(key, ms, priority);
        } else if (kind === 'rateLimited') {
          expect(queue.addRateLimited(key)).toBe(model.rateLimited(key));
        } else if (kind === 'forget') {
          queue.forget(key);
          model.forget(key);
        } else if (kind === 'get') {
          const want = model.get();
          if (want !== undefined) expect(await queue.get(new AbortController().signal)).toBe(want);
        } else if (kind === 'done') {
          queue.done(key);
          model.done(key);
        } else {
          await move(ms);
        }
      };
      for (const step of sequence) {
        await run(step);
        await move(1 / 128); // so that no two keys are planned for the same instant
        expect(queue.stats().depth).toBe(model.depth());
      }
      for (const end of ['get', 'done', 'get'] as const) // all that waits, and then what was added meanwhile
        for (const key of KEYS) await run({ kind: end, key, priority: 'Normal', ms: 0 });
    }),
    { numRuns: 500 },
  ));
