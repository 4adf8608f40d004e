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
/** The one object that the reflector asks for before it watches on from where it was. */
const isProof = (request: string): boolean => request.endsWith('limit=1');
const isList = (request: string): boolean => !request.includes('watch=true') && !isProof(request);

/**
 * Answers the n-th list and the n-th watch as the script says; after its end lists repeat and watches stay open.
 * The server has got as far as `at` says, which is further than any place unless a test says otherwise.
 */
function script(
  lists: readonly unknown[],
  watches: readonly ((response: ServerResponse) => void)[],
  at: () => string = () => '999999',
): Respond {
  let listed = 0;
  let watched = 0;
  return ({ url }, response) => {
    if (isProof(url)) return sendJson(response, list(at()));
    if (isList(url)) return sendJson(response, lists[Math.min(listed++, lists.length - 1)]);
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
  expect(server.requests.filter(isList)).toHaveLength(1);
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
  expect(server.requests.filter(isList)).toHaveLength(1);
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
  expect(back.requests.filter((request) => !isProof(request))).toEqual([
    expect.stringContaining('resourceVersion=10'),
  ]);
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

test('an older list that is believed is told of before the cache changes, and nobody waits any longer', async () => {
  const expire = (response: ServerResponse): void => sendJson(response, status(410, 'Expired'), 410);
  const { informer, changes, facts } = await follow(
    script([list('20', [aConfigMap({ name: 'younger' })]), list('15', [aConfigMap()])], [expire]),
  );
  const waiting = informer.waitFor(reached('21'), { deadlineMs: 60_000 });
  informer.onWentBack(({ seen, found }) => changes.push(`went back from ${seen} to ${found}`));
  expect(await waiting).toBe('WentBack');
  await informer.waitFor(reached('15'));
  expect(changes).toEqual(['Added younger', 'went back from 20 to 15', 'Added a', 'Deleted younger']);
  expect(facts).toContainEqual({ type: 'WentBack', resource: 'configmaps', seen: '20', found: '15' });
  expect(facts).toContainEqual(expect.objectContaining({ type: 'Relisted', because: 'WentBack' }));
});

test('a server that has not reached the place is not waited for: its watch would be silent for ever', async () => {
  const cut = (response: ServerResponse): void => void response.writeHead(200).end();
  const { informer, facts, server } = await follow(
    script([list('20', [aConfigMap()]), list('15')], [cut], () => '15'),
  );
  await expect.poll(() => facts.some(({ type }) => type === 'WentBack')).toBe(true);
  await informer.waitFor(reached('15'));
  expect(informer.cache.size()).toBe(0);
  const watches = () => server.requests.filter((request) => request.includes('watch=true'));
  const places = () => watches().map((request) => /resourceVersion=(\d+)/.exec(request)?.[1]);
  await expect.poll(places).toEqual(['20', '15']);
});

test('after the world went back an object is another one, even at the same resourceVersion', async () => {
  const expire = (response: ServerResponse): void => sendJson(response, status(410, 'Expired'), 410);
  const of = (world: string) => [aConfigMap({ data: { world } })];
  const { informer } = await follow(script([list('20', of('old')), list('15', of('restored'))], [expire]));
  await informer.waitFor(reached('20'));
  await expect.poll(() => informer.cache.get('home/a')?.data).toEqual({ world: 'restored' });
});

test('a list in pages that breaks off while the world goes back is begun again, and told of once', async () => {
  let lists = 0;
  const { informer, facts } = await follow(({ url }, response) => {
    if (url.includes('watch=true')) return sendJson(response, status(410, 'Expired'), 410);
    if (lists++ === 0) return sendJson(response, list('20', [aConfigMap(), aConfigMap({ name: 'gone' })]));
    if (!url.includes('continue')) return sendJson(response, list('15', [aConfigMap()], 'more'));
    if (lists < 8) return sendJson(response, status(500, 'InternalError'), 500);
    sendJson(response, list('15', [aConfigMap({ name: 'b' })]));
  });
  await expect.poll(() => [...informer.cache.keys()], { timeout: 5000 }).toEqual(['home/a', 'home/b']);
  expect(facts.filter(({ type }) => type === 'WentBack')).toHaveLength(1);
});

test('"Too large resource version" keeps the place: a replica that lags will catch up', async () => {
  const tooLarge = {
    ...status(504, 'Timeout'),
    details: { causes: [{ reason: 'ResourceVersionTooLarge' }], retryAfterSeconds: 1 },
  };
  const { informer, server } = await follow(
    script(
      [list('10')],
      [
        (response) => sendJson(response, tooLarge, 504),
        (response) => response.writeHead(200).write(line('ADDED', aConfigMap({ resourceVersion: '11' }))),
      ],
    ),
  );
  expect(await informer.waitFor(reached('11'))).toBe('Reached');
  expect(server.requests.filter(isList)).toHaveLength(1);
});

test('an event from before the place is believed only after a list', async () => {
  const events =
    line('ADDED', aConfigMap({ resourceVersion: '21' })) +
    line('MODIFIED', aConfigMap({ resourceVersion: '12', data: { is: 'older' } }));
  const { informer, facts } = await follow(
    script(
      [list('20'), list('22', [aConfigMap({ resourceVersion: '21' })])],
      [(response) => response.writeHead(200).end(events)],
    ),
  );
  await informer.waitFor(reached('22'));
  expect(informer.cache.get('home/a')?.data).toEqual({});
  expect(facts).toContainEqual(expect.objectContaining({ type: 'WatchEnded', because: 'PlaceAhead' }));
  expect(facts.some(({ type }) => type === 'WentBack')).toBe(false);
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
