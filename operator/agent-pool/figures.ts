/** The figures of a pool that move with its work: promised, free, and how the attempts of the last day ended. */
import type { AgentPool } from '../../crds/agent-pool.ts';
import { freeIn, presentAmounts, promisedIn, rateText, tableText } from '../../crds/placement/figures.ts';
import type { PreparedPool } from '../../crds/placement/supply.ts';
import type { DailyRate } from '../supply/attempt-book.ts';

export type PoolWork = Readonly<{
  /** The pool with its agents, as placing reads them. */
  agents: PreparedPool['agents'];
  rateOf: (agentUID: string) => DailyRate;
}>;

/** A rate that only time changes need not be told to the second. */
const RATE_EVERY_MS = 60_000;

export function poolFigures(
  { agents, rateOf }: PoolWork,
  now: Date,
): Readonly<{ figures: Partial<NonNullable<AgentPool['status']>>; changesInMs: number | undefined }> {
  const free = freeIn({ agents }, now);
  const rates = agents.map(({ uid }) => rateOf(uid));
  const attempts24h = rates.reduce(
    (sum, { succeeded, failed }) => ({ succeeded: sum.succeeded + succeeded, failed: sum.failed + failed }),
    { succeeded: 0, failed: 0 },
  );
  const untilMs = Math.min(...rates.map((rate) => rate.untilMs ?? Number.POSITIVE_INFINITY));
  return {
    figures: {
      allocated: presentAmounts(promisedIn({ agents })),
      free: presentAmounts(free),
      freeText: tableText(free),
      attempts24h,
      successText24h: rateText(attempts24h),
    },
    changesInMs: Number.isFinite(untilMs) ? Math.max(RATE_EVERY_MS, untilMs - now.getTime()) : undefined,
  };
}
