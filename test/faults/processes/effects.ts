/**
 * What each process has done to the outside since it was last asked: writes that the API server or PostgreSQL have
 * committed, and what a hypervisor did for an agent. At the n-th effect of one process a fuse burns: before anybody
 * has the answer. What repeats for ever (heartbeats, Lease renewals, Events) counts once.
 */
export const ACTORS = ['operator', 'facade', 'agent'] as const;
export type Actor = (typeof ACTORS)[number];

export type Effect = Readonly<{
  by: Actor;
  /** For people, and the same in every run: `update contracts/status`. */
  what: string;
  /** Counts only the first time. */
  repeats?: boolean;
}>;

export type Fuse = Readonly<{
  by: Actor;
  n: number;
  /** Only these are counted; all when absent. */
  what?: string | undefined;
  burn: () => void;
}>;

export type Effects = Readonly<{
  note: (effect: Effect, burn?: () => void) => void;
  /** Counts from nothing again. `note` may say who dies instead of the fuse. */
  restart: (fuse?: Fuse) => void;
  /** In order. */
  seen: (by: Actor) => readonly string[];
  /** The effect at which the fuse burnt. */
  burntAt: () => string | undefined;
  /** Grows with every effect that does not repeat for ever, whoever had it. */
  total: () => number;
}>;

export function createEffects(): Effects {
  let fuse: Fuse | undefined;
  let burntAt: string | undefined;
  let seen: Record<Actor, string[]> = { operator: [], facade: [], agent: [] };
  let total = 0;
  return {
    note: ({ by, what, repeats = false }, burn) => {
      if (!repeats) total++;
      else if (seen[by].includes(what)) return;
      seen[by].push(what);
      if (fuse?.by !== by || seen[by].filter((one) => isMeant(one, fuse)).length !== fuse.n) return;
      if (!isMeant(what, fuse)) return;
      burntAt = what;
      const spent = fuse;
      fuse = undefined;
      (burn ?? spent.burn)();
    },
    restart: (next) => {
      fuse = next;
      burntAt = undefined;
      seen = { operator: [], facade: [], agent: [] };
    },
    seen: (by) => seen[by],
    burntAt: () => burntAt,
    total: () => total,
  };
}

const isMeant = (what: string, fuse: Fuse | undefined): boolean =>
  fuse?.what === undefined || fuse.what === what;
