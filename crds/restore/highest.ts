/**
 * The highest resourceVersion of a contract that a process saw, with the generation that it belongs to: after a
 * restore versions begin again below, so a new generation forgets. And what of a watch that went back is news: its
 * place may be one of the world before.
 */
export type Highest = Readonly<{
  saw: (resourceVersion: string | undefined) => void;
  /** `0`: nothing was seen in this generation. */
  version: () => string;
  /** A higher generation became known while the watch of contracts stood at `place`. */
  rose: (place: string | undefined) => void;
  /** Whether a watch that stood at `place` shows a restore that is not known yet. */
  isNews: (place: string) => boolean;
}>;

export function createHighest(): Highest {
  let version = '0';
  let explained = '0';
  return {
    saw: (seen) => {
      if (seen && isAbove(seen, version)) version = seen;
    },
    version: () => version,
    rose: (place = '0') => {
      version = '0';
      explained = place;
    },
    isNews: (place) => isAbove(place, explained),
  };
}

/** They are integers, larger than a double holds exactly. */
export const isAbove = (a: string, b: string): boolean => BigInt(a) > BigInt(b);
