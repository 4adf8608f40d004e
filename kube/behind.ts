/**
 * Whether the API server stands before what somebody has seen: an etcd that was restored from an older backup. One
 * older answer may come from a replica that lags (kubernetes-notes.md), so it has to repeat itself before it is
 * believed; the first answer that is not older ends it.
 */
import type { Clock } from '../lib/clock.ts';
import { compareResourceVersions } from './object.ts';
import { STALE_LISTS_MAX } from './place.ts';

const BETWEEN_LOOKS_MS = 300;

type Looking = Readonly<{
  /** Answers the resourceVersion of a consistent read. */
  look: () => Promise<string>;
  clock: Pick<Clock, 'sleep'>;
  signal?: AbortSignal | undefined;
}>;

/** Takes about a second before it answers true; what `look` throws ends it. */
export async function isBehind(seen: string, { look, clock, signal }: Looking): Promise<boolean> {
  for (let older = 0; compareResourceVersions(await look(), seen) < 0; older++) {
    if (older >= STALE_LISTS_MAX) return true;
    await clock.sleep(BETWEEN_LOOKS_MS, { signal });
  }
  return false;
}
