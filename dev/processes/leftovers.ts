/**
 * Finds and stops what a run left behind that was killed before it could stop its children. Only a process
 * whose pid and start time are both those of the run file is touched: a pid that was given to another
 * program since is left alone.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../../lib/clock.ts';
import { isAlive } from '../bootstrap/identity.mjs';
import { type RunRecord, signalProcess } from './managed-process.ts';

const RunFile = z.object({
  name: z.string(),
  pid: z.int().positive(),
  identity: z.string(),
  stopSignal: z.enum(['SIGTERM', 'SIGINT']),
  stopMs: z.number().nonnegative(),
}) satisfies z.ZodType<RunRecord>;

const POLL_MS = 50;

/** Those that still run of the run files in `runFolder`. */
export function findLeftovers(runFolder: string): RunRecord[] {
  return runFiles(runFolder).flatMap(({ record }) => (record && isAlive(record) ? [record] : []));
}

/**
 * Stops them in the order of `order` (names; those not named come first, as they are the clients of the
 * others) and removes the run files. Answers the names of those that were stopped.
 */
export async function stopLeftovers(
  runFolder: string,
  { clock, order = [] }: { clock: Clock; order?: readonly string[] },
): Promise<string[]> {
  const stopped: string[] = [];
  const rank = (name: string): number => order.indexOf(name);
  const files = runFiles(runFolder).sort((a, b) => rank(a.record?.name ?? '') - rank(b.record?.name ?? ''));
  for (const { file, record } of files) {
    if (record && isAlive(record)) {
      await stopRecord(record, clock);
      stopped.push(record.name);
    }
    rmSync(file, { force: true });
  }
  return stopped;
}

async function stopRecord(record: RunRecord, clock: Clock): Promise<void> {
  signalProcess(record.pid, record.stopSignal);
  const untilMs = clock.monotonicMs() + record.stopMs;
  while (isAlive(record)) {
    if (clock.monotonicMs() >= untilMs) signalProcess(-record.pid, 'SIGKILL');
    await clock.sleep(POLL_MS);
  }
}

function runFiles(runFolder: string): { file: string; record: RunRecord | undefined }[] {
  let names: string[];
  try {
    names = readdirSync(runFolder);
  } catch {
    return [];
  }
  return names
    .filter((name) => name.endsWith('.json'))
    .map((name) => {
      const file = join(runFolder, name);
      return { file, record: parse(file) };
    });
}

function parse(file: string): RunRecord | undefined {
  try {
    return RunFile.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined; // half-written when its writer was killed
  }
}
