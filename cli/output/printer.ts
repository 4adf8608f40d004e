/**
 * Writes to the terminal. Colour only on one, and never with NO_COLOR. What providers and tenants typed is shown
 * to others here, so control characters, with which a text could move the cursor or lie, are made visible.
 */
import type { Context, Output } from '../context.ts';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';
export type Paint = (style: Style, text: string) => string;

export type Printer = Readonly<{
  /** One line, or several, of the answer: standard output. */
  line: (text?: string) => void;
  /** The answer as JSON for programs: standard output. */
  json: (value: unknown) => void;
  /** Beside the answer: standard error. */
  note: (text: string) => void;
  paint: Paint;
}>;

const SGR: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
};

export function createPrinter({ stdout, stderr, env }: Pick<Context, 'stdout' | 'stderr' | 'env'>): Printer {
  const isColoured = stdout.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  return {
    line: (text = '') => write(stdout, text),
    json: (value) => stdout.write(`${JSON.stringify(value, undefined, 2)}\n`),
    note: (text) => write(stderr, text),
    paint: (style, text) => {
      const [on, off] = SGR[style];
      return isColoured && text !== '' ? `\u001b[${on}m${text}\u001b[${off}m` : text;
    },
  };
}

function write(output: Output, text: string): void {
  output.write(`${visible(text)}\n`);
}

/** Line breaks and our own colours stay; any other control character, or change of direction, is shown. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is what it is for
const CONTROL = /\u001b\[(?:[12]|22|3[1239])m|[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

export const visible = (text: string): string =>
  text.replace(CONTROL, (found) => {
    if (found === '\n' || found.length > 1) return found;
    return found < ' ' ? String.fromCharCode(0x2400 + found.charCodeAt(0)) : '\ufffd';
  });
