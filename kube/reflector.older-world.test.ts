/** A server that is behind what was seen: a replica that lags, or an etcd that was put back from a backup. */
import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { aConfigMap } from './testing/config-map.ts';
import { follow, isList, line, list, reached, script, status } from './testing/scripted-watch.ts';
import { sendJson } from './testing/wire-server.ts';

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
