/** Calls back once after files were saved, for `npm run dev`; several saves within a moment count as one. */
import { watch } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Timer } from '../../lib/clock.ts';

const SETTLE_MS = 200;
const SOURCE = /\.(ts|mjs|sh|ya?ml)$/;

/** Watches the folders `parts` of `root` until `signal` is aborted. `saved` is told the parts that changed. */
export function onSave(
  {
    root,
    parts,
    clock,
    signal,
  }: { root: string; parts: readonly string[]; clock: Clock; signal: AbortSignal },
  saved: (parts: ReadonlySet<string>) => void,
): void {
  let changed = new Set<string>();
  let timer: Timer | undefined;
  const flush = (): void => {
    const parts = changed;
    changed = new Set();
    if (!signal.aborted) saved(parts);
  };
  for (const part of parts)
    watch(join(root, part), { recursive: true, signal }, (_event, file) => {
      if (!file || !SOURCE.test(file) || file.endsWith('.test.ts')) return;
      changed.add(part);
      timer?.cancel();
      timer = clock.after(SETTLE_MS, flush);
    });
}
