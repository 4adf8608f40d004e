import type { Environment } from '../context.ts';

export type Terminal = Readonly<{ symbols: boolean; colours: boolean; width: number }>;
export type Outcome = 'done' | 'failed' | 'interrupted';
export function terminalOf(to: { isTTY?: boolean | undefined; columns?: number }, env: Environment): Terminal;
export function finishedLine(
  terminal: Terminal,
  step: { outcome: Outcome; title: string; ms: number; detail?: string },
): string;
export function runningLine(
  terminal: Terminal,
  step: { title: string; what?: string; ms: number; frame?: number },
): string;
export function paint(terminal: Terminal, colour: Outcome | 'running' | 'dim', text: string): string;
export function seconds(ms: number): string;
