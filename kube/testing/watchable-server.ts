/**
 * A small world that can be listed and watched over the wire: objects, one counter of resourceVersions, a log of
 * events, and every way in which such a server fails its watchers. What it answers is what a real API server could
 * answer; reflector.cluster.test.ts has the real one.
 */
import type { ServerResponse } from 'node:http';
import { aConfigMap, type ConfigMap } from './config-map.ts';
import { sendJson, startWireServer, type WireServer } from './wire-server.ts';

export const BREAKS = ['Cut', 'CutInLine', 'Stall', 'Gone', 'Garbage', 'End'] as const;
export type Break = (typeof BREAKS)[number];

export type WatchableServer = Readonly<{
  wire: WireServer;
  put: (name: string) => void;
  remove: (name: string) => void;
  bookmark: () => void;
  /** What is open breaks; `Stall` until the client gives up, no byte comes any more. */
  break: (how: Break) => void;
  /** The next request is refused: 429 with Retry-After 0, 410, 500 or 504. */
  refuseNext: (status: number) => void;
  /** Forgets the log: a watch from before is answered 410. */
  compact: () => void;
  /** As a backup of etcd: `restore` brings its objects and its resourceVersion back. */
  backup: () => void;
  restore: () => void;
  /** Whether somebody hears what happens from now on. */
  isWatched: () => boolean;
  /** Where it is now, and what it has: `name@uid/resourceVersion`, sorted. */
  resourceVersion: () => string;
  objects: () => readonly string[];
}>;

type Event = Readonly<{ version: number; type: string; object: ConfigMap }>;
type State = {
  version: number;
  objects: Map<string, ConfigMap>;
  log: Event[];
  forgottenUpTo: number;
  /** What lists in pages are being made of, by resourceVersion. */
  moments: Map<string, readonly ConfigMap[]>;
};

const PAGE_SIZE = 2;
export const gistOf = ({ metadata }: ConfigMap): string =>
  `${metadata.name}@${metadata.uid}/${metadata.resourceVersion}`;

export async function startWatchableServer(): Promise<WatchableServer> {
  let state: State = { version: 10, objects: new Map(), log: [], forgottenUpTo: 0, moments: new Map() };
  let saved: State = copyOf(state);
  let births = 0;
  const watching = new Set<ServerResponse>();
  const refusals: number[] = [];

  const tell = (type: string, object: ConfigMap): void => {
    state.log.push({ version: state.version, type, object });
    for (const response of watching) response.write(lineOf(type, object));
  };
  const status = (code: number) => ({ kind: 'Status', code, reason: `Code${code}`, message: 'refused' });
  const wire = await startWireServer(({ url }, response) => {
    const query = new URL(url, 'http://server').searchParams;
    const refused = refusals.shift();
    if (refused) return sendJson(response, status(refused), refused, { 'retry-after': '0' });
    if (query.get('watch') === 'true') return watch(Number(query.get('resourceVersion')), response);
    list(query, response);
  });
  /** As a real one: all pages are of one moment, and a moment that is forgotten is answered 410. */
  const list = (query: URLSearchParams, response: ServerResponse): void => {
    const [moment = String(state.version), skip = '0'] = query.get('continue')?.split('/') ?? [];
    if (skip === '0') state.moments.set(moment, [...state.objects.values()]);
    const all = state.moments.get(moment);
    if (!all) {
      sendJson(response, status(410), 410);
      return;
    }
    const end = Number(skip) + Math.min(PAGE_SIZE, Number(query.get('limit')));
    const more = end < all.length ? { continue: `${moment}/${end}` } : {};
    const items = all.slice(Number(skip), end);
    sendJson(response, { metadata: { resourceVersion: moment, ...more }, items });
  };
  const watch = (from: number, response: ServerResponse): void => {
    if (from < state.forgottenUpTo) {
      sendJson(response, status(410), 410);
      return;
    }
    response.writeHead(200).flushHeaders();
    if (from > state.version) return; // as a real one: it waits for its future, silently
    for (const { version, type, object } of state.log)
      if (version > from) response.write(lineOf(type, object));
    watching.add(response);
    response.on('close', () => watching.delete(response));
  };

  return {
    wire,
    put: (name) => {
      const known = state.objects.get(name);
      const version = String(++state.version);
      const uid = known?.metadata.uid ?? `uid-${++births}`;
      const object = aConfigMap({ name, uid, resourceVersion: version });
      state.objects.set(name, object);
      tell(known ? 'MODIFIED' : 'ADDED', object);
    },
    remove: (name) => {
      const known = state.objects.get(name);
      if (!known) return;
      state.objects.delete(name);
      state.version++;
      const { uid = '' } = known.metadata;
      tell('DELETED', aConfigMap({ name, uid, resourceVersion: String(state.version) }));
    },
    bookmark: () => {
      const object = { metadata: { resourceVersion: String(++state.version) } };
      for (const response of watching) response.write(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
    },
    break: (how) => {
      for (const response of watching) breakOff(response, how);
      watching.clear();
    },
    refuseNext: (code) => void refusals.push(code),
    compact: () => {
      state.forgottenUpTo = state.version;
      state.log = [];
      state.moments.clear();
    },
    backup: () => {
      saved = copyOf(state);
    },
    restore: () => {
      state = copyOf(saved);
      for (const response of watching) response.destroy();
      watching.clear();
    },
    isWatched: () => watching.size > 0,
    resourceVersion: () => String(state.version),
    objects: () => [...state.objects.values()].map(gistOf).sort(),
  };
}

function breakOff(response: ServerResponse, how: Break): void {
  if (how === 'Cut') response.destroy();
  if (how === 'CutInLine') response.write('{"type":"ADDED","obj', () => response.destroy());
  if (how === 'Gone') response.end(lineOf('ERROR', { kind: 'Status', code: 410, reason: 'Expired' }));
  if (how === 'Garbage') response.end('<html>\n');
  if (how === 'End') response.end();
}

const lineOf = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;
const copyOf = ({ version, objects, log, forgottenUpTo }: State): State => ({
  ...{ version, objects: new Map(objects), log: [...log], forgottenUpTo, moments: new Map() },
});
