/**
 * Passes a watch on line by line until it is told to break it. No event is ever left out of a stream that goes on:
 * a real API server does not do that either.
 */
import type { ServerResponse } from 'node:http';
import { type Clock, systemClock } from '../../../lib/clock.ts';

/** Cut: the connection ends. Stall: it stays open and nothing passes. Gone: the server says 410 in the stream. */
export type WatchBreak = 'Cut' | 'Stall' | 'Gone';

export type WatchPlan = Readonly<{
  /** Break it once so many events (no bookmarks) have passed. */
  breakAfter?: { events: number; how: WatchBreak };
  /** Everything arrives so much later, in order. */
  lagMs?: number;
  /** Of `lagMs`. */
  clock?: Clock;
}>;

export type LiveWatch = Readonly<{ resource: string; break: (how: WatchBreak) => void }>;

const NEWLINE = 0x0a;
const GONE = `${JSON.stringify({
  type: 'ERROR',
  object: {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    message: 'too old resource version',
    reason: 'Expired',
    code: 410,
  },
})}\n`;

/** Resolves when the stream has ended, for whatever reason; a stalled one when its client goes. */
export async function pipeWatch(
  source: AsyncIterable<Uint8Array>,
  target: ServerResponse,
  { plan, resource, live }: { plan: WatchPlan; resource: string; live: Set<LiveWatch> },
): Promise<void> {
  let broken: WatchBreak | undefined;
  const closed = new Promise<void>((resolve) => target.once('close', resolve));
  const stop = (how: WatchBreak): void => {
    if (broken) return;
    broken = how;
    // What was sent before the cut has arrived: give it the time to leave this process.
    if (how === 'Cut') target.write('', () => systemClock.after(20, () => target.destroy()));
    if (how === 'Gone') target.end(GONE);
  };
  const watch: LiveWatch = { resource, break: stop };
  live.add(watch);
  const { breakAfter, lagMs = 0, clock = systemClock } = plan;
  if (breakAfter?.events === 0) stop(breakAfter.how);
  let events = 0;
  let order = Promise.resolve();
  const pass = (line: Uint8Array): void => {
    if (broken || target.destroyed) return;
    target.write(line);
    if (!isBookmark(line)) events++;
    if (breakAfter && events >= breakAfter.events) stop(breakAfter.how);
  };
  try {
    for await (const line of linesOf(source)) {
      if (broken || target.destroyed) break;
      if (lagMs === 0) pass(line);
      else order = Promise.all([order, clock.sleep(lagMs)]).then(() => pass(line));
    }
    await order;
    if (broken === 'Stall') await closed;
    else if (!broken) target.end();
  } catch {
    if (broken === 'Stall') await closed;
    else target.destroy(); // what a cut between the API server and its client looks like
  } finally {
    live.delete(watch);
  }
}

const isBookmark = (line: Uint8Array): boolean => Buffer.from(line).includes('"type":"BOOKMARK"');

async function* linesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest = Buffer.alloc(0);
  for await (const chunk of source) {
    rest = Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      yield rest.subarray(0, end + 1);
      rest = rest.subarray(end + 1);
    }
  }
}
