/**
 * Whether this host should get new work: by its listings of machines and by the disk of its state folder. What it
 * cannot list it cannot build safely, and what it cannot write down it must not begin. Pure.
 */
import { HEALTH_MESSAGE_MAX, type Unhealthy } from '../../crds/unhealthy.ts';

/** So many in a row: one that failed is no illness yet. */
export const LISTINGS_MAX = 3;
/** Below this it takes no new work; from twice of it on it does again. */
const FREE_MIN_BYTES = 64 * 2 ** 20;
const FREE_AGAIN_BYTES = 2 * FREE_MIN_BYTES;

export type HealthFacts = Readonly<{
  /** Listings that failed since the last that did not, and what the last of them said. */
  listing: Readonly<{ failures: number; error: string | undefined }>;
  /** Undefined: not looked at yet. */
  state: StateFolder | undefined;
}>;

/** What a look at the state folder found. */
export type StateFolder =
  | Readonly<{ isWritable: true; freeBytes: number }>
  | Readonly<{ isWritable: false; error: string }>;

/** `was`: what was said last. Undefined: nothing is wrong. */
export function decideHealth(
  { listing, state }: HealthFacts,
  was: Unhealthy | undefined,
): Unhealthy | undefined {
  if (state && !state.isWritable)
    return ill('StateNotWritable', `its state folder cannot be written: ${state.error}`);
  const wanted = was?.reason === 'StateNearlyFull' ? FREE_AGAIN_BYTES : FREE_MIN_BYTES;
  if (state && state.freeBytes < wanted)
    return ill(
      'StateNearlyFull',
      `less than ${mib(FREE_MIN_BYTES)} MiB were free on the disk of its state folder: it goes on at ${mib(FREE_AGAIN_BYTES)} MiB`,
    );
  if (listing.failures >= LISTINGS_MAX)
    return ill(
      'CannotList',
      `its machines could not be listed ${LISTINGS_MAX} times in a row or more: ${listing.error ?? 'no reason was given'}`,
    );
  return undefined;
}

const mib = (bytes: number): number => bytes / 2 ** 20;

const ill = (reason: string, message: string): Unhealthy => ({
  reason,
  message: message.length > HEALTH_MESSAGE_MAX ? `${message.slice(0, HEALTH_MESSAGE_MAX - 1)}…` : message,
});
