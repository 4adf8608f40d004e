/**
 * One line a step with the time it took. A step that takes more than two seconds shows what it is doing and
 * for how long; on a terminal the line is drawn again in place, elsewhere a line is added now and then.
 */
import type { Clock, Timer } from '../lib/clock.ts';
import {
  finishedLine,
  type Outcome,
  paint,
  runningLine,
  type Terminal,
  terminalOf,
} from './bootstrap/line.mjs';
import type { Environment } from './context.ts';
import { Failure, isInterruption, messageOf } from './failure.ts';

/** What a step may say while it runs. */
export type Step = Readonly<{
  /** What it is doing right now. */
  report: (what: string) => void;
  /** Replaces the title, e.g. by one with the version that was found. */
  title: (text: string) => void;
  /** Shown behind the time once it is done. */
  detail: (text: string) => void;
}>;

export type Progress = Readonly<{
  /** Runs `work` and shows it. What it throws is shown as failed, or interrupted, and thrown on. Steps may overlap. */
  step: <T>(title: string, work: (step: Step) => Promise<T>) => Promise<T>;
  /** A line of its own. */
  say: (text: string) => void;
}>;

/** What is written to; `process.stdout`, or a test's. */
export type Output = Readonly<{
  write: (text: string) => unknown;
  isTTY?: boolean | undefined;
  columns?: number;
}>;

const SHOW_AFTER_MS = 2_000;
const REDRAW_MS = 100;
/** Where lines cannot be drawn again. */
const REPEAT_MS = 10_000;
const CLEAR_LINE = '\r\u001b[K';

type Running = { title: string; what: string; startedMs: number };

export function createProgress({
  output,
  env,
  clock,
}: {
  output: Output;
  env: Environment;
  clock: Clock;
}): Progress {
  const terminal = terminalOf(output, env);
  const running = new Set<Running>();
  let timer: Timer | undefined;
  let frame = 0;
  let drawn = false;

  const clear = (): void => {
    if (drawn) output.write(CLEAR_LINE);
    drawn = false;
  };
  const print = (line: string): void => {
    clear();
    output.write(`${line}\n`);
  };
  const draw = (): void => {
    const now = clock.monotonicMs();
    const slow = [...running].filter(({ startedMs }) => now - startedMs >= SHOW_AFTER_MS);
    for (const { title, what, startedMs } of terminal.symbols ? slow.slice(0, 1) : slow) {
      const line = runningLine(terminal, { title, what, ms: now - startedMs, frame: frame++ });
      output.write(terminal.symbols ? `${CLEAR_LINE}${line}` : `${line}\n`);
      drawn = terminal.symbols;
    }
    if (running.size > 0) timer = clock.after(terminal.symbols ? REDRAW_MS : REPEAT_MS, draw);
  };

  return {
    say: print,
    step: async (title, work) => {
      const entry: Running = { title, what: '', startedMs: clock.monotonicMs() };
      let detail = '';
      running.add(entry);
      if (running.size === 1) timer = clock.after(SHOW_AFTER_MS, draw);
      const finish = (outcome: Outcome): void => {
        running.delete(entry);
        if (running.size === 0) timer?.cancel();
        const ms = clock.monotonicMs() - entry.startedMs;
        print(finishedLine(terminal, { outcome, title: entry.title, ms, detail }));
      };
      try {
        const result = await work({
          report: (what) => {
            entry.what = what;
          },
          title: (text) => {
            entry.title = text;
          },
          detail: (text) => {
            detail = text;
          },
        });
        finish('done');
        return result;
      } catch (error) {
        finish(isInterruption(error) ? 'interrupted' : 'failed');
        throw error;
      }
    },
  };
}

/** Why something failed and what to do, for the person; never a stack trace. */
export function describeFailure(terminal: Terminal, error: unknown): string {
  const lines = [`  ${paint(terminal, 'failed', 'why:')} ${messageOf(error)}`];
  if (error instanceof Failure && error.next) lines.push(`  what to do: ${error.next}`);
  else if (error instanceof Failure && error.retryable) lines.push('  what to do: start it again.');
  return lines.join('\n');
}
