/** The last lines of a log, for a message about the process that wrote it. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const TAIL_BYTES = 4096;
const TAIL_LINES = 5;

/** `:\n  line\n  line` with the last lines, or nothing when there is no log. */
export function tailOf(file: string): string {
  const lines = lastBytes(file)
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .slice(-TAIL_LINES);
  return lines.length === 0 ? '' : `:\n${lines.map((line) => `    ${line.slice(0, 400)}`).join('\n')}`;
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
