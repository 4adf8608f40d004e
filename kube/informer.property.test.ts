/**
 * The life of an informer: whatever happens on the server and to the connection, in whatever order, in the end the
 * cache is what the server has, and every handler was told a story that could be true.
 */
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createKubeClient } from './client.ts';
import { type Change, createInformer } from './informer.ts';
import { compareResourceVersions, keyOf } from './object.ts';
import { CONFIG_MAPS, type ConfigMap } from './testing/config-map.ts';
import {
  type Break,
  gistOf,
  startWatchableServer,
  type WatchableServer,
} from './testing/watchable-server.ts';

type Step = Readonly<
  | { type: 'put' | 'remove'; name: string }
  | { type: 'break'; how: Break }
  /** While nobody is connected things come and go, and the server forgets what happened. */
  | { type: 'gap'; put: string; remove: string }
  | { type: 'refuse'; status: number }
  | { type: 'compact' | 'bookmark' | 'subscribe' | 'backup' | 'restore' }
  | { type: 'wait'; ms: number }
>;

const name = fc.constantFrom('a', 'b', 'c');
const change: fc.Arbitrary<Step> = fc.record({
  type: fc.constantFrom('put', 'put', 'put', 'remove'),
  name,
}) as fc.Arbitrary<Step>; // the types of a union's members
const fault: fc.Arbitrary<Step> = fc.oneof(
  // `Stall` costs a second each: it has an example of its own below.
  fc.record({
    type: fc.constant('break' as const),
    how: fc.constantFrom<Break>('Cut', 'CutInLine', 'Gone', 'Garbage', 'End'),
  }),
  fc.record({ type: fc.constant('refuse' as const), status: fc.constantFrom(429, 410, 500, 504, 403) }),
  fc.record({ type: fc.constant('gap' as const), put: name, remove: name }),
  fc.record({ type: fc.constantFrom('compact' as const, 'bookmark' as const, 'subscribe' as const) }),
);
const wait: fc.Arbitrary<Step> = fc.record({ type: fc.constant('wait' as const), ms: fc.nat(15) });
const ordinary = fc.oneof(
  { weight: 5, arbitrary: change },
  { weight: 3, arbitrary: fault },
  { weight: 2, arbitrary: wait },
);
const back: fc.Arbitrary<Step> = fc.record({ type: fc.constantFrom('backup' as const, 'restore' as const) });

function perform(server: WatchableServer, step: Step): void {
  if (step.type === 'put') server.put(step.name);
  if (step.type === 'remove') server.remove(step.name);
  if (step.type === 'break') server.break(step.how);
  if (step.type === 'gap') {
    server.break('Cut');
    server.remove(step.remove);
    server.put(step.put);
    server.compact();
  }
  if (step.type === 'refuse') server.refuseNext(step.status);
  if (step.type === 'compact') server.compact();
  if (step.type === 'bookmark') server.bookmark();
  if (step.type === 'backup') server.backup();
  if (step.type === 'restore') server.restore();
}

/** What a handler knows by what it was told; throws on a story that cannot be true. */
function createListener(mayGoBack: boolean) {
  const known = new Map<string, ConfigMap>();
  let isReplayOver = false;
  return {
    known,
    replayed: () => {
      isReplayOver = true;
    },
    hear: (told: Change<ConfigMap>): void => {
      const key = keyOf(told.object);
      const before = known.get(key);
      const story = `${told.type} ${gistOf(told.object)}, known as ${before && gistOf(before)}`;
      expect(told.type === 'Added', story).toBe(before === undefined);
      if (told.type === 'Updated') {
        expect(gistOf(told.old), story).toBe(before && gistOf(before));
        expect(told.object.metadata.uid, story).toBe(before?.metadata.uid);
      }
      const { resourceVersion: now = '' } = told.object.metadata;
      const was = before?.metadata.resourceVersion ?? now;
      if (!mayGoBack) expect(compareResourceVersions(now, was), story).toBeGreaterThanOrEqual(0);
      if (told.type === 'Updated' && !mayGoBack) expect(now, story).not.toBe(was);
      expect(isReplayOver || told.type === 'Added', story).toBe(true);
      if (told.type === 'Deleted') known.delete(key);
      else known.set(key, told.object);
    },
  };
}

async function live(steps: readonly Step[], { mayGoBack = false, isSyncedFirst = true } = {}): Promise<void> {
  const server = await startWatchableServer();
  const client = createKubeClient({ kubeconfig: server.wire.kubeconfig });
  const wrong: unknown[] = [];
  const informer = createInformer<ConfigMap>({
    resource: client.resource<ConfigMap>(CONFIG_MAPS),
    backoff: { firstMs: 1, maxMs: 4, factor: 2, jitter: 0 },
    stallMs: 500,
    pageSize: 2,
    observe: (fact) => fact.type === 'ConsumerThrew' && wrong.push(fact.error),
  });
  const listeners: ReturnType<typeof createListener>[] = [];
  const subscribe = (): void => {
    const listener = createListener(mayGoBack);
    informer.onChange(listener.hear, { replay: 'Existing' });
    listener.replayed();
    listeners.push(listener);
  };
  const caughtUp = () =>
    expect
      .poll(() => [informer.cache.resourceVersion(), ...informer.cache.list().map(gistOf).sort()], {
        timeout: 8000,
        interval: 3,
      })
      .toEqual([server.resourceVersion(), ...server.objects()]);
  const stop = new AbortController();
  subscribe();
  const running = informer.run(stop.signal);
  try {
    if (isSyncedFirst) await informer.synced(stop.signal);
    for (const step of steps) {
      perform(server, step);
      if (step.type === 'subscribe') subscribe();
      // A world that went back and has overtaken what was seen, before anybody looked, cannot be told from another.
      if (step.type === 'restore') {
        await expect.poll(server.isWatched, { timeout: 8000, interval: 3 }).toBe(true);
        await caughtUp();
      }
      await delay(step.type === 'wait' ? step.ms : 0);
    }
    server.put('last'); // something to hear for who believes that all is quiet
    await caughtUp();
    for (const { known } of listeners)
      expect([...known.values()].map(gistOf).sort()).toEqual(server.objects());
    expect(wrong).toEqual([]);
  } finally {
    stop.abort();
    await running;
    await client.close();
    await server.wire.close();
  }
}

test(
  'in the end the cache is what the server has, and each handler heard a legal order',
  {
    timeout: 60_000,
  },
  () =>
    fc.assert(
      fc.asyncProperty(fc.array(ordinary, { maxLength: 25 }), fc.boolean(), (steps, isSyncedFirst) =>
        live(steps, { isSyncedFirst }),
      ),
      { numRuns: 40, interruptAfterTimeLimit: 20_000 },
    ),
);

test('also when a watch falls silent in the middle', { timeout: 20_000 }, () =>
  live([
    { type: 'put', name: 'a' },
    { type: 'wait', ms: 30 },
    { type: 'break', how: 'Stall' },
    { type: 'put', name: 'b' },
    { type: 'remove', name: 'a' },
    { type: 'wait', ms: 5 },
  ]),
);

test('also when the world goes back to a backup, once or more often', { timeout: 60_000 }, () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof({ weight: 6, arbitrary: ordinary }, { weight: 1, arbitrary: back }), {
        maxLength: 25,
      }),
      (steps) => live(steps, { mayGoBack: true }),
    ),
    { numRuns: 25, interruptAfterTimeLimit: 20_000 },
  ),
);
