/** Small things about files that several parts of `dev/` need. */
import { randomUUID } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';

/** Writes under another name and renames, so that a reader or a crash never sees half a file. */
export function writeFileAtomically(file: string, content: string, mode = 0o644): void {
  const temporary = `${file}.${randomUUID()}`;
  writeFileSync(temporary, content, { mode });
  renameSync(temporary, file);
}
