/**
 * How one step of a set-up looks at the terminal, the same from the bootstrap (Node 20, nothing installed) and
 * from everything after it. Symbols and colours only on a terminal; the words are the same without them.
 */
const TITLE_WIDTH = 36;
const DURATION_WIDTH = 8;
const COLOURS = { done: 32, failed: 31, interrupted: 33, running: 36, dim: 2 };
const SYMBOLS = { done: '✓', failed: '✗', interrupted: '-' };
const FRAMES = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';

/** What the stream `to` can show. */
export function terminalOf(to, env) {
  const isTerminal = Boolean(to.isTTY) && env.TERM !== 'dumb';
  return { symbols: isTerminal, colours: isTerminal && !env.NO_COLOR, width: to.columns || 80 };
}

/** `✓ dependencies                      4.1 s   detail` */
export function finishedLine(terminal, { outcome, title, ms, detail = '' }) {
  const words = outcome === 'done' ? title : `${title} ${outcome}`;
  const line = `${words.padEnd(TITLE_WIDTH)}${seconds(ms).padStart(DURATION_WIDTH)}${detail ? `   ${detail}` : ''}`;
  return terminal.symbols ? `${paint(terminal, outcome, SYMBOLS[outcome])} ${line}` : line;
}

/** `⠹ dependencies  installing  12 s`; one line that fits, to be drawn again. `frame` counts up. */
export function runningLine(terminal, { title, what = '', ms, frame = 0 }) {
  const line = `${title}${what ? `  ${what}` : ''}  ${seconds(ms)}`;
  if (!terminal.symbols) return line;
  const fitting = line.length > terminal.width - 3 ? `${line.slice(0, terminal.width - 4)}…` : line;
  return `${paint(terminal, 'running', FRAMES[frame % FRAMES.length])} ${fitting}`;
}

export function paint(terminal, colour, text) {
  return terminal.colours ? `\u001b[${COLOURS[colour]}m${text}\u001b[0m` : text;
}

export function seconds(ms) {
  return ms < 60_000
    ? `${(ms / 1000).toFixed(1)} s`
    : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}
