/**
 * How far the API server's clock is from ours, learnt from the `Date` of ordinary answers. `Date` has whole
 * seconds, so one answer says only: server − local lies in [Date − received, Date + 1 s − sent]. The intersection
 * over many answers shrinks to about ± 0.1 s. Source: kubernetes-notes.md, "Guard".
 */

/** Server minus local, in milliseconds: positive when the server is ahead. */
export type ClockSkew = Readonly<{ offsetMs: number; uncertaintyMs: number }>;

export type SkewEstimate = Readonly<{
  /** `dateHeader` as it came; `sentAtMs` and `receivedAtMs` by the local wall clock. */
  learn: (answer: { dateHeader: string | undefined; sentAtMs: number; receivedAtMs: number }) => void;
  /** Undefined until the first answer. */
  current: () => ClockSkew | undefined;
}>;

/** Clocks drift and are corrected: what was learnt longer ago than this is forgotten. */
const MEMORY_MS = 10 * 60_000;

export function createSkewEstimate(): SkewEstimate {
  let bounds: { lowMs: number; highMs: number; sinceMs: number } | undefined;
  let lastDate = '';
  let lastDateMs = 0;
  return {
    learn: ({ dateHeader, sentAtMs, receivedAtMs }) => {
      if (dateHeader === undefined) return;
      if (dateHeader !== lastDate) {
        lastDate = dateHeader; // parsed once a second, not once a request
        lastDateMs = Date.parse(dateHeader);
      }
      if (Number.isNaN(lastDateMs)) return;
      const lowMs = lastDateMs - receivedAtMs;
      const highMs = lastDateMs + 1000 - sentAtMs;
      const known = bounds && receivedAtMs - bounds.sinceMs < MEMORY_MS ? bounds : undefined;
      const low = Math.max(known?.lowMs ?? lowMs, lowMs);
      const high = Math.min(known?.highMs ?? highMs, highMs);
      // An empty intersection means that one of the clocks was corrected: begin again.
      bounds =
        known && low <= high
          ? { lowMs: low, highMs: high, sinceMs: known.sinceMs }
          : { lowMs, highMs, sinceMs: receivedAtMs };
    },
    current: () =>
      bounds && {
        offsetMs: Math.round((bounds.lowMs + bounds.highMs) / 2),
        uncertaintyMs: Math.ceil((bounds.highMs - bounds.lowMs) / 2),
      },
  };
}
