/** What everything in `dev/` is given by whoever started it; nothing here reads the environment by itself. */
import type { Clock } from '../lib/clock.ts';

/** The environment as `process.env` has it, copied once by `main.ts`. */
export type Environment = Readonly<Record<string, string | undefined>>;

export type Context = Readonly<{
  env: Environment;
  clock: Clock;
  /** Aborted when the person pressed Ctrl-C, or the step was given up. */
  signal: AbortSignal;
  /** Says what is being done right now, in a few words; shown beside a step that takes long. */
  report: (what: string) => void;
}>;
