/** The faults of a watch byte by byte; what a real API server can be made to do is in reflector.cluster.test.ts. */
import { expect, test } from 'vitest';
import { aConfigMap } from './testing/config-map.ts';
import {
  closing,
  follow,
  isList,
  isProof,
  line,
  list,
  reached,
  script,
  status,
} from './testing/scripted-watch.ts';
import { sendJson, startWireServer } from './testing/wire-server.ts';

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
