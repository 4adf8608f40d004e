/**
 * One watch request as a sequence of events. It ends when the server's timeout is reached; staying connected,
 * backing off and listing again are the reflector's part.
 */
import type { KubeClient } from './client.ts';
import { errorFromStatus } from './error.ts';
import type { KubeObject } from './object.ts';
import { jsonLines } from './watch-stream.ts';

export type WatchQuery = Readonly<{
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  /** Events after this one. */
  resourceVersion: string;
  allowWatchBookmarks?: boolean | undefined;
  /** After how long the server ends the watch by itself. */
  timeoutSeconds?: number | undefined;
  /** Longest silence; 2 minutes by default, because bookmarks come once a minute. */
  stallMs?: number | undefined;
}>;

export type WatchEvent<T> = Readonly<
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T }
  /** Nothing happened up to this resourceVersion. */
  | { type: 'BOOKMARK'; resourceVersion: string }
>;

type RawEvent<T> = Readonly<
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T }
  | { type: 'BOOKMARK'; object: { metadata: { resourceVersion: string } } }
  | { type: 'ERROR'; object: unknown }
>;

const STALL_MS = 120_000;

export async function* watchResource<T extends KubeObject>(
  client: Pick<KubeClient, 'stream'>,
  request: { path: string; query: Omit<WatchQuery, 'namespace'>; signal: AbortSignal | undefined },
): AsyncGenerator<WatchEvent<T>> {
  const { stallMs = STALL_MS, ...query } = request.query;
  const chunks = await client.stream({
    path: request.path,
    query: { ...query, watch: true },
    signal: request.signal,
    stallMs,
  });
  const what = `WATCH ${request.path}`;
  for await (const line of jsonLines(chunks, what)) {
    const event = line as RawEvent<T>; // trusted as every answer is, see resource.ts
    if (event.type === 'ERROR') throw errorFromStatus(what, { status: 500, body: event.object });
    if (event.type === 'BOOKMARK')
      yield { type: 'BOOKMARK', resourceVersion: event.object.metadata.resourceVersion };
    else yield event;
  }
}
