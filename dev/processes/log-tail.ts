/** The last lines of a log as a person reads them, for a message about the process that wrote it. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { z } from 'zod';

const TAIL_BYTES = 4096;
const TAIL_LINES = 5;
/** Where in the code it happened: of no use to who starts it, and in the log for who wants it. */
const STACK = /^\s+at |^Node\.js v/;
/** A line of ours, see `lib/log.ts`. */
const LogLine = z.object({
  level: z.string(),
  msg: z.string(),
  err: z.union([z.string(), z.object({ message: z.string() })]).optional(),
});

/** `:\n  line\n  line` with the last lines, or nothing when there is no log. */
export function tailOf(file: string): string {
  const lines = lastBytes(file)
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !STACK.test(line))
    .map(readable)
    .slice(-TAIL_LINES);
  return lines.length === 0 ? '' : `:\n${lines.map((line) => `    ${line.slice(0, 400)}`).join('\n')}`;
}

function readable(line: string): string {
  if (!line.startsWith('{')) return line;
  try {
    const { level, msg, err } = LogLine.parse(JSON.parse(line));
    const why = typeof err === 'object' ? err.message : err;
    return `${level}: ${msg}${why ? `: ${why}` : ''}`;
  } catch {
    return line; // another program's, or cut in two
  }
}

function lastBytes(file: string): string {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch {
    return '';
  }
  try {
    const { size } = fstatSync(handle);
    const length = Math.min(size, TAIL_BYTES);
    const buffer = Buffer.alloc(length);
    readSync(handle, buffer, 0, length, size - length);
    return buffer.toString('utf8');
  } finally {
    closeSync(handle);
  }
}
