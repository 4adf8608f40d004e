/** How much memory another process has and had: its heap after a collection of garbage, its peak by the kernel. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { ManagedProcess } from '../dev/processes/managed-process.ts';
import { eventually } from '../test/world/eventually.ts';

export type Memory = Readonly<{
  /** After a collection of garbage, buffers outside of V8's heap included. Bytes. */
  heap: number;
  /** Highest resident set since its start; NaN where there is no /proc. Bytes. */
  peak: number;
}>;

export type HeapProbe = Readonly<{
  /** For the environment of the process. */
  env: Readonly<Record<string, string>>;
  read: (child: ManagedProcess) => Promise<Memory>;
  close: () => void;
}>;

const Usage = z.object({ heapUsed: z.number(), external: z.number() });
const PROBE = join(import.meta.dirname, 'heap-probe.ts');

export function createHeapProbe(): HeapProbe {
  const folder = mkdtempSync(join(tmpdir(), 'dcmarket-heap-'));
  const file = join(folder, 'usage.json');
  return {
    env: { NODE_OPTIONS: `--import=${PROBE}`, HEAP_FILE: file },
    read: async ({ pid }) => {
      rmSync(file, { force: true });
      const peak = peakOf(pid); // before the collection: it needs some memory itself
      process.kill(pid, 'SIGUSR2');
      const text = await eventually(async () => readFileSync(file, 'utf8'), { withinMs: 30_000 });
      const { heapUsed, external } = Usage.parse(JSON.parse(text));
      return { heap: heapUsed + external, peak };
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function peakOf(pid: number): number {
  try {
    const [, kib] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kib) * 1024;
  } catch {
    return Number.NaN;
  }
}
