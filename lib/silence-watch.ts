/**
 * How long something has gone without changing, as this process saw it on its monotonic clock: a lock without
 * renewal, a heartbeat Lease, a superseded process. No two clocks are ever compared. A process that has just
 * started has seen nothing yet, so a lock gets a whole TTL from a new leader. Source: docs/contract.md, 4.
 */
export type SilenceWatch = Readonly<{
  /** Notes the present `mark` of `key` and answers its silence; `initialMs` when it is seen for the first time. */
  silentMs: (
    key: string,
    seen: Readonly<{ mark: string; monotonicMs: number; initialMs?: number }>,
  ) => number;
  forget: (key: string) => void;
}>;

export function createSilenceWatch(): SilenceWatch {
  const known = new Map<string, Readonly<{ mark: string; sinceMs: number }>>();
  return {
    silentMs: (key, { mark, monotonicMs, initialMs = 0 }) => {
      const last = known.get(key);
      if (last?.mark === mark) return monotonicMs - last.sinceMs;
      const silentMs = last === undefined ? initialMs : 0;
      known.set(key, { mark, sinceMs: monotonicMs - silentMs });
      return silentMs;
    },
    forget: (key) => void known.delete(key),
  };
}
