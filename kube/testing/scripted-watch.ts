/** A reflector behind an informer, and a server that answers its lists and watches byte by byte as a script says. */
import type { ServerResponse } from 'node:http';
import { afterEach } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import { createKubeClient } from '../client.ts';
import { type Change, createInformer } from '../informer.ts';
import type { Observation } from '../observation.ts';
import { CONFIG_MAPS, type ConfigMap } from './config-map.ts';
import { type Respond, sendJson, startWireServer } from './wire-server.ts';

const BACKOFF = { firstMs: 5, maxMs: 20, factor: 2, jitter: 0 };
/** Closed after each test, the last first. */
export const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

export const status = (code: number, reason: string) => ({ kind: 'Status', code, reason, message: reason });
export const line = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;
export const list = (resourceVersion: string, items: readonly ConfigMap[] = [], next?: string) => ({
  metadata: { resourceVersion, ...(next ? { continue: next } : {}) },
  items,
});
/** The one object that the reflector asks for before it watches on from where it was. */
export const isProof = (request: string): boolean => request.endsWith('limit=1');
export const isList = (request: string): boolean => !request.includes('watch=true') && !isProof(request);

/**
 * Answers the n-th list and the n-th watch as the script says; after its end lists repeat and watches stay open.
 * The server has got as far as `at` says, which is further than any place unless a test says otherwise.
 */
export function script(
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

export async function follow(respond: Respond, options: { stallMs?: number } = {}) {
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

export const reached = (resourceVersion: string) => ({ resourceVersion });
