/**
 * The place of a reflector: up to which resourceVersion it has seen everything. Pure rules about when it is lost,
 * and about an API server that is behind it: a replica that lags, or a world that went back.
 */
import { KubeError } from './error.ts';
import { compareResourceVersions } from './object.ts';
import type { RelistReason } from './observation.ts';

/** Undefined `resourceVersion`: a list must come next, because of `relistBecause`. */
export type Place = {
  resourceVersion: string | undefined;
  relistBecause: RelistReason;
  /** How many lists in a row were older than what had been seen. */
  staleLists: number;
};

export const noPlace = (): Place => ({
  resourceVersion: undefined,
  relistBecause: 'Start',
  staleLists: 0,
});

/** `seen`: where we had got to. `found`: where the API server is now, which is before that. */
export type WorldWentBack = Readonly<{ seen: string; found: string }>;

/** So many failures in a row a 5xx may be about something else than our place. */
const SERVER_ERRORS_MAX = 5;
const PLACE_AHEAD = 'PlaceAhead';
/** So often in a row a list may be older than what was seen; then the API server was restored from a backup. */
export const STALE_LISTS_MAX = 3;

/**
 * A replica of etcd that lags must not bring back what is gone: an older list throws StaleList. A restored backup
 * must be believed in the end: then it answers what is to be told.
 */
export function judgeOlderList(
  found: string,
  { seen, place }: { seen: string | undefined; place: Place },
): WorldWentBack | undefined {
  if (seen === undefined || compareResourceVersions(found, seen) >= 0) {
    place.staleLists = 0;
    return undefined;
  }
  if (++place.staleLists > STALE_LISTS_MAX) {
    place.relistBecause = 'WentBack';
    return { seen, found };
  }
  throw new KubeError({
    status: 0,
    reason: 'StaleList',
    message: `the list is of resourceVersion ${found}, but ${seen} was seen already`,
  });
}

/** Throws PlaceAhead when `found`, where the API server is, lies before what was seen already. */
export function requireNotBefore(seen: string | undefined, found: string | undefined): void {
  if (!seen || !found || compareResourceVersions(found, seen) >= 0) return;
  throw new KubeError({
    status: 0,
    reason: PLACE_AHEAD,
    message: `the API server is at resourceVersion ${found}, but ${seen} was seen already`,
  });
}

/**
 * Whether to list again, and why. A fault on the way (refused, cut, stalled, busy, 5xx, no permission) keeps the
 * place: if it has become too old meanwhile, the next watch is answered 410. An unknown refusal loses it, and so
 * does a server that fails again and again, because it may be this very place that it cannot serve.
 */
export function losesPlace(fault: unknown, failures: number): RelistReason | undefined {
  if (fault === undefined) return undefined;
  if (!(fault instanceof KubeError)) return 'Unknown';
  if (fault.status >= 500 && failures >= SERVER_ERRORS_MAX) return 'Unknown';
  if (fault.status === 410) return 'Gone';
  if (fault.reason === 'Malformed') return 'Malformed';
  if (fault.reason === PLACE_AHEAD) return 'WentBack';
  if (fault.retryable || fault.status === 401 || fault.status === 403) return undefined;
  return 'Unknown';
}
