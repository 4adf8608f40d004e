/** The faults of a watch byte by byte; what a real API server can be made to do is in reflector.cluster.test.ts. */
import type { ServerResponse } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { createKubeClient } from './client.ts';
import { type Change, createInformer } from './informer.ts';
import type { Observation } from './observation.ts';
import { aConfigMap, CONFIG_MAPS, type ConfigMap } from './testing/config-map.ts';
import { type Respond, sendJson, startWireServer } from './testing/wire-server.ts';

const BACKOFF = { firstMs: 5, maxMs: 20, factor: 2, jitter: 0 };
const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const status = (code: number, reason: string) => ({ kind: 'Status', code, reason, message: reason });
const line = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;
const list = (resourceVersion: string, items: readonly ConfigMap[] = [], next?: string) => ({
  metadata: { resourceVersion, ...(next ? { continue: next } : {}) },
  items,
});
/** Answers the n-th list and the n-th watch as the script says; after its end lists repeat and watches stay open. */
function script(
  lists: readonly unknown[],
  watches: readonly ((response: ServerResponse) => void)[],
): Respond {
  let listed = 0;
  let watched = 0;
  return ({ url }, response) => {
    if (!url.includes('watch=true')) return sendJson(response, lists[Math.min(listed++, lists.length - 1)]);
    const watch = watches[watched++];
    if (watch) return watch(response);
    response.writeHead(200).flushHeaders();
  };
}

async function follow(respond: Respond, options: { stallMs?: number } = {}) {
  const server = await startWireServer(respond);
  const facts: Observation[] = [];
  const client = createKubeClient({ kubeconfig: server.kubeconfig });
  const informer = createInformer<ConfigMap>({
    resource: client.resource<ConfigMap>(CONFIG_MAPS),
    clock: systemClock,
    observe: (fact) => facts.push(fact),
    backoff: BACKOFF,
    ...options,
  });
  const changes: string[] = [];
  informer.onChange(({ type, object }: Change<ConfigMap>) => {
    changes.push(`${type} ${object.metadata.name}`);
  });
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  closing.push(server.close, client.close, async () => {
    stop.abort();
    await running;
  });
  return { server, facts, informer, changes, stop: stop.signal };
}

const reached = (resourceVersion: string) => ({ resourceVersion });

test('a watch continues where the last event was, in one pass over lists and events', async () => {
  const events =
    line('ADDED', aConfigMap({ name: 'b', resourceVersion: '11' })) +
    line('MODIFIED', aConfigMap({ name: 'a', resourceVersion: '12' })) +
    line('DELETED', aConfigMap({ name: 'b', resourceVersion: '13' })) +
    line('BOOKMARK', { metadata: { resourceVersion: '15' } });
  const { informer, changes, server } = await follow(
    script([list('10', [aConfigMap()])], [(response) => response.writeHead(200).end(events)]),
  );
  await informer.waitFor(reached('15'));
  expect(changes).toEqual(['Added a', 'Added b', 'Updated a', 'Deleted b']);
  await expect.poll(() => server.requests.at(-1)).toContain('resourceVersion=15');
  expect(server.requests.filter((request) => !request.includes('watch'))).toHaveLength(1);
});

test('a list comes in pages, and managedFields never reach the cache', async () => {
  const managed = aConfigMap({ name: 'b' });
  const page = { ...managed, metadata: { ...managed.metadata, managedFields: [{ manager: 'x' }] } };
  const { informer, server, stop } = await follow(
    script([list('10', [aConfigMap()], 'next/page'), list('10', [page])], []),
  );
  await informer.synced(stop);
  expect(server.requests[0]).toContain('limit=500');
  expect(server.requests[1]).toContain('continue=next%2Fpage');
  expect(informer.cache.size()).toBe(2);
  expect(informer.cache.get('home/b')?.metadata).not.toHaveProperty('managedFields');
});

test('410 at the opening of a watch lists again and finds what was deleted meanwhile', async () => {
  const { informer, changes, facts } = await follow(
    script(
      [list('10', [aConfigMap(), aConfigMap({ name: 'b' })]), list('20', [aConfigMap()])],
      [(response) => sendJson(response, status(410, 'Expired'), 410)],
    ),
  );
  await informer.waitFor(reached('20'));
  expect(changes).toEqual(['Added a', 'Added b', 'Deleted b']);
  expect(facts).toContainEqual(expect.objectContaining({ type: 'Relisted', because: 'Gone' }));
});

test('410 as an ERROR inside a 200 stream lists again', async () => {
  const { informer, facts } = await follow(
    script(
      [list('10'), list('20')],
      [(response) => response.writeHead(200).end(line('ERROR', status(410, 'Expired')))],
    ),
  );
  await informer.waitFor(reached('20'));
  expect(facts).toContainEqual(expect.objectContaining({ type: 'Relisted', because: 'Gone' }));
});

test('429 keeps the place and waits as long as the server says', async () => {
  const { informer, server, facts } = await follow(
    script(
      [list('10')],
      [
        (response) => sendJson(response, status(429, 'TooManyRequests'), 429, { 'retry-after': '1' }),
        (response) => response.writeHead(200).write(line('ADDED', aConfigMap({ resourceVersion: '11' }))),
      ],
    ),
  );
  await informer.waitFor(reached('11'));
  expect(server.requests.filter((request) => !request.includes('watch'))).toHaveLength(1);
  expect(facts).toContainEqual(expect.objectContaining({ type: 'WatchEnded', retryInMs: 1000 }));
});

test('a server that was away for a while is asked for the rest, not for everything', async () => {
  const { informer, server, facts, stop } = await follow(script([list('10', [aConfigMap()])], []));
  await informer.synced(stop);
  await server.close();
  await expect
    .poll(() => facts.some((fact) => fact.type === 'WatchEnded' && fact.because === 'ConnectionRefused'))
    .toBe(true);
  const event = line('ADDED', aConfigMap({ name: 'b', resourceVersion: '11' }));
  const back = await startWireServer(
    script([list('20')], [(response) => response.writeHead(200).write(event)]),
    server.port,
  );
  closing.unshift(back.close);
  await informer.waitFor(reached('11'));
  expect(back.requests).toEqual([expect.stringContaining('resourceVersion=10')]);
});

test('a stalled watch is noticed and cut, and keeps its place', async () => {
  const { informer, server, facts } = await follow(
    script(
      [list('10')],
      [
        (response) => response.writeHead(200).write(line('ADDED', aConfigMap({ resourceVersion: '11' }))),
        (response) => response.writeHead(200).write(line('DELETED', aConfigMap({ resourceVersion: '12' }))),
      ],
    ),
    { stallMs: 300 },
  );
  await informer.waitFor(reached('12'));
  expect(facts).toContainEqual(expect.objectContaining({ type: 'WatchEnded', because: 'Stalled' }));
  expect(server.requests.filter((request) => request.includes('watch'))[1]).toContain('resourceVersion=11');
});

test('a connection that is cut inside a line gets the event again', async () => {
  const event = line('ADDED', aConfigMap({ name: 'ü', resourceVersion: '11' }));
  const { informer, changes } = await follow(
    script(
      [list('10')],
      [
        (response) => {
          response.writeHead(200).write(event.slice(0, 40));
          setImmediate(() => response.destroy());
        },
        (response) => response.writeHead(200).write(event),
      ],
    ),
  );
  await informer.waitFor(reached('11'));
  expect(changes).toEqual(['Added ü']);
});

test('a line that is not JSON lists again', async () => {
  const { informer, facts } = await follow(
    script([list('10'), list('20')], [(response) => response.writeHead(200).end('<html>\n')]),
  );
  await informer.waitFor(reached('20'));
  expect(facts).toContainEqual(expect.objectContaining({ type: 'Relisted', because: 'Malformed' }));
});

test('an older list does not bring back what is gone, but is believed in the end', async () => {
  const gone = aConfigMap({ name: 'gone' });
  const expire = (response: ServerResponse): void => sendJson(response, status(410, 'Expired'), 410);
  const { informer, changes, facts } = await follow(
    script([list('20', [aConfigMap()]), list('15', [aConfigMap(), gone])], [expire]),
  );
  await expect.poll(() => changes).toContain('Added gone');
  expect(informer.cache.resourceVersion()).toBe('15');
  const stale = facts.filter((fact) => fact.type === 'WatchEnded' && fact.because === 'StaleList');
  expect(stale).toHaveLength(3);
});

test('an object that was replaced during a gap is told as deleted and added', async () => {
  const { informer, changes } = await follow(
    script(
      [list('10', [aConfigMap()]), list('20', [aConfigMap({ uid: 'other', resourceVersion: '19' })])],
      [(response) => sendJson(response, status(410, 'Expired'), 410)],
    ),
  );
  await informer.waitFor(reached('20'));
  expect(changes).toEqual(['Added a', 'Deleted a', 'Added a']);
});

test('a handler that throws harms neither the reflector nor other handlers', async () => {
  const events = line('ADDED', aConfigMap({ resourceVersion: '11' }));
  const { informer, facts, changes, stop } = await follow(
    script([list('10')], [(response) => setTimeout(() => response.writeHead(200).write(events), 50)]),
  );
  await informer.synced(stop);
  informer.onChange(() => {
    throw new Error('broken handler');
  });
  const later: string[] = [];
  informer.onChange(({ type }) => later.push(type));
  await informer.waitFor(reached('11'));
  expect([changes, later]).toEqual([['Added a'], ['Added']]);
  expect(facts).toContainEqual(expect.objectContaining({ type: 'ConsumerThrew', consumer: 'Handler' }));
});

test('a list that fails is tried again until it works, and a stop ends everything', async () => {
  let tries = 0;
  const { informer, stop } = await follow(({ url }, response) => {
    if (url.includes('watch')) return void response.writeHead(200).flushHeaders();
    if (++tries < 4) return sendJson(response, status(500, 'InternalError'), 500);
    sendJson(response, list('10'));
  });
  await informer.synced(stop);
  expect(tries).toBe(4);
});
