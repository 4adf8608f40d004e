import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEventRecorder, EVENTS, type EventRecorderOptions } from './events.ts';
import type { KubeObject } from './object.ts';
import type { Observation } from './observation.ts';
import { openScene, type Scene } from './testing/cluster.ts';
import { CONFIG_MAPS, type ConfigMap } from './testing/config-map.ts';

type Event = KubeObject &
  Readonly<{
    type: string;
    reason: string;
    note: string;
    regarding: { uid: string };
    series?: { count: number };
  }>;

let scene: Scene;
const ending: (() => Promise<void>)[] = [];
beforeAll(async () => {
  scene = await openScene();
});
afterAll(async () => {
  for (const end of ending) await end();
  await scene.close();
});

function recorder(options: Partial<EventRecorderOptions> = {}) {
  const facts: Observation[] = [];
  const created = createEventRecorder({
    client: scene.client,
    reportingController: 'example.com/test',
    reportingInstance: 'test-1',
    observe: (fact) => facts.push(fact),
    ...options,
  });
  const stop = new AbortController();
  return {
    ...created,
    facts,
    start: () => {
      const running = created.run(stop.signal);
      ending.push(() => {
        stop.abort();
        return running;
      });
    },
  };
}
const put = (name: string): Promise<ConfigMap> =>
  scene.client.resource<ConfigMap>(CONFIG_MAPS).create({ metadata: { namespace: scene.namespace, name } });
async function eventsOf(regarding: KubeObject): Promise<readonly Event[]> {
  const { items } = await scene.client.resource<Event>(EVENTS).list({ namespace: scene.namespace });
  return items.filter((event) => event.regarding.uid === regarding.metadata.uid);
}

test('a fact becomes an Event of its object', async () => {
  const events = recorder();
  events.start();
  const regarding = await put('one');
  events.record({ regarding, type: 'Warning', reason: 'NoAgent', note: `nobody ${'ü'.repeat(1000)}` });
  await events.drain();
  const [event] = await eventsOf(regarding);
  expect(event).toMatchObject({ type: 'Warning', reason: 'NoAgent', action: 'NoAgent' });
  expect(Buffer.byteLength(event?.note ?? '')).toBeLessThanOrEqual(1024);
  expect(events.facts).toEqual([]);
});

test('the same fact again and again is one Event with a count, and few writes', async () => {
  const events = recorder();
  events.start();
  const regarding = await put('series');
  const record = (): void => events.record({ regarding, type: 'Normal', reason: 'Again', note: 'again' });
  record();
  await events.drain();
  for (let i = 0; i < 500; i++) record();
  await events.drain();
  const found = await eventsOf(regarding);
  expect(found).toHaveLength(1);
  expect(found[0]?.series?.count).toBe(501);
});

test('what does not fit is dropped and counted, and recording never waits', async () => {
  const events = recorder({ queueMax: 2 });
  const objects = await Promise.all(['d1', 'd2', 'd3'].map(put));
  for (const regarding of objects) events.record({ regarding, type: 'Normal', reason: 'Full', note: 'x' });
  expect(events.pending()).toBe(2);
  expect(events.facts).toEqual([{ type: 'EventsDropped', reason: 'QueueFull', count: 1 }]);
  events.start();
  await events.drain();
  expect(events.pending()).toBe(0);
});

test('an Event that is refused is reported and stops nobody', async () => {
  const events = recorder();
  events.start();
  const regarding = await put('refused');
  events.record({ regarding, type: 'Normal', reason: 'x'.repeat(200), note: 'too long a reason' });
  events.record({ regarding, type: 'Normal', reason: 'Fine', note: 'fine' });
  await events.drain();
  expect((await eventsOf(regarding)).map(({ reason }) => reason)).toEqual(['Fine']);
  expect(events.facts).toEqual([expect.objectContaining({ type: 'EventsDropped', reason: 'Refused' })]);
});

test('the rate is bounded, and a drain has a deadline', async () => {
  const events = recorder({ perSecond: 5, burst: 1 });
  events.start();
  const objects = await Promise.all(Array.from({ length: 10 }, (_, i) => put(`rate-${i}`)));
  for (const regarding of objects) events.record({ regarding, type: 'Normal', reason: 'Rate', note: 'x' });
  const startedMs = performance.now();
  await events.drain({ deadlineMs: 700 });
  expect(performance.now() - startedMs).toBeLessThan(1500);
  const dropped = events.facts.find((fact) => fact.type === 'EventsDropped');
  expect(dropped).toMatchObject({ reason: 'DrainTimedOut', count: expect.any(Number) });
});
