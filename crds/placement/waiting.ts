/** How long a contract has waited, read from its history. Milliseconds since 1970. */
import type { Contract } from '../contract/contract.ts';
import type { ContractPhase } from '../contract/phase.ts';

/** Since when agents may claim it: its last move to Accepted, and the pause after a failure. */
export function waitingSinceMs({ metadata, status }: Contract): number {
  const moved = status?.history?.findLast(({ to }) => to === 'Accepted')?.at ?? metadata.creationTimestamp;
  return Math.max(instantMs(moved), instantMs(status?.nextAttemptAt));
}

/**
 * Since when a machine is wanted, over all attempts of this order: what the delays of fallback pools count from.
 * Undefined while none is: of one that is still to be accepted, or that has its machine.
 */
export function wantedSinceMs({ metadata, status }: Contract): number | undefined {
  if (!status || !BUILDING.has(status.phase)) return undefined;
  const history = status.history ?? [];
  const before = history.findLastIndex(({ to }) => !BUILDING.has(to));
  return instantMs(history[before + 1]?.at ?? metadata.creationTimestamp);
}

const BUILDING: ReadonlySet<ContractPhase> = new Set(['Accepted', 'Provisioning', 'Provisioned']);

const instantMs = (instant: string | undefined): number => (instant ? Date.parse(instant) : 0);
