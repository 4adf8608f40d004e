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
  /** Counts from nothing again, with these fuses. `note` may say who dies instead of the fuse. */
  restart: (...fuses: readonly Fuse[]) => void;
  /** In order. */
  seen: (by: Actor) => readonly string[];
  /** The effects at which fuses burnt, in order. */
  burntAt: () => readonly string[];
  /** Grows with every effect that does not repeat for ever, whoever had it. */
  total: () => number;
}>;

export function createEffects(): Effects {
  let fuses: readonly Fuse[] = [];
  let burntAt: string[] = [];
  let seen: Record<Actor, string[]> = { operator: [], facade: [], agent: [] };
  let total = 0;
  return {
    note: ({ by, what, repeats = false }, burn) => {
      if (!repeats) total++;
      else if (seen[by].includes(what)) return;
      seen[by].push(what);
      const due = fuses.find(
        (fuse) =>
          fuse.by === by &&
          isMeant(what, fuse) &&
          seen[by].filter((one) => isMeant(one, fuse)).length === fuse.n,
      );
      if (!due) return;
      fuses = fuses.filter((fuse) => fuse !== due);
      burntAt.push(what);
      (burn ?? due.burn)();
    },
    restart: (...next) => {
      fuses = next;
      burntAt = [];
      seen = { operator: [], facade: [], agent: [] };
    },
    seen: (by) => seen[by],
    burntAt: () => burntAt,
    total: () => total,
  };
}

const isMeant = (what: string, fuse: Fuse): boolean => fuse.what === undefined || fuse.what === what;
