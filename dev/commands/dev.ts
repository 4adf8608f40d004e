/** What every command is given. */
import type { Context } from '../context.ts';
import type { Paths } from '../paths.ts';
import type { Progress } from '../progress.ts';

export type Dev = Context & Readonly<{ progress: Progress; paths: Paths }>;

/** Answers the exit code. Throws a `Failure` for what the person can mend. */
export type Run = (dev: Dev) => Promise<number>;
