/** Starts the process that only lists, and reads what it found. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { ManagedProcess } from '../../dev/processes/managed-process.ts';
import { eventually } from '../../test/world/eventually.ts';
import type { House } from '../house.ts';

const Listed = z.object({ listMs: z.number(), objects: z.number() });
export type Listed = z.infer<typeof Listed>;

export type BareList = Readonly<{
  child: ManagedProcess;
  /** Resolves when everything is listed and parsed. */
  listed: () => Promise<Listed>;
}>;

export async function startBareList(
  house: House,
  env: Readonly<Record<string, string>> = {},
): Promise<BareList> {
  const child = await house.startNode(`bare-list-${randomUUID()}`, 'bench/baselines/bare-list.ts', {
    ...env,
    KUBECONFIG: house.kubeconfig,
  });
  const look = async (): Promise<Listed> => Listed.parse(JSON.parse(readFileSync(child.logFile, 'utf8')));
  return { child, listed: () => eventually(look, { withinMs: 120_000, everyMs: 20 }) };
}
