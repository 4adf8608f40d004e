/** What a benchmark answers, and the table that is printed of it (Markdown, so that it can be kept as it is). */
import type { Ratio } from './measure.ts';

export type Row = Readonly<{
  name: string;
  what: string;
  figure: string;
  baseline: string;
  /** Ours through the baseline's; absent where the goal is no ratio. */
  ratio?: Ratio;
  goal: string;
  /** Absent for a row that only informs. */
  reached?: boolean;
}>;

const HEAD = ['', 'what', 'figure', 'baseline', 'ratio (min–max)', 'goal', 'reached'];

export function tableOf(rows: readonly Row[]): string {
  const lines = [HEAD, HEAD.map(() => '---'), ...rows.map(cellsOf)];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function cellsOf({ name, what, figure, baseline, ratio, goal, reached }: Row): string[] {
  const verdict = reached === undefined ? '' : reached ? 'yes' : 'NO';
  return [name, what, figure, baseline, ratio ? showRatio(ratio) : '', goal, verdict];
}

export const showRatio = ({ median, min, max }: Ratio): string =>
  `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;

export const showMs = (ms: number): string => `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
export const showRate = (perSecond: number): string => `${Math.round(perSecond)}/s`;
