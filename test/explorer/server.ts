/**
 * The API server: compare-and-swap on resourceVersion, and the rules of the CRD. What it would refuse as illegal
 * is a broken rule here, because no writer may ever try it.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Contract } from '../../crds/contract/contract.ts';
import { FIRST_PHASES, hasEnded, isLegalMove } from '../../crds/contract/phase.ts';
import type { ContractStatus } from '../../crds/contract/status.ts';
import { nth, type World } from './world.ts';

/** What must hold does not. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

export function must(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Violation(message);
}

/** Undefined: somebody wrote in between. `version` undefined is a blind write, as Kubernetes has it. */
export function writeStatus(
  world: World,
  c: number,
  { status, version }: Readonly<{ status: ContractStatus; version: string | undefined }>,
): World | undefined {
  const stored = nth(world.contracts, c);
  if (!stored) return undefined;
  if (version !== undefined && stored.metadata.resourceVersion !== version) return undefined;
  mustBeLegal(status, stored.status);
  return isDeepStrictEqual(status, stored.status) ? world : store(world, c, { ...stored, status });
}

/** PUT of the main resource, or a patch that no version guards. */
export function store(world: World, c: number, contract: Contract | undefined): World {
  const version = world.version + 1;
  const stored = contract && {
    ...contract,
    metadata: { ...contract.metadata, resourceVersion: String(version) },
  };
  return { ...world, version, contracts: world.contracts.with(c, stored) };
}

/** As the CEL rules of crds/contract/status.ts say it. */
function mustBeLegal(next: ContractStatus, before: ContractStatus | undefined): void {
  const { phase } = next;
  if (before) {
    must(isLegalMove(before.phase, phase), `a contract cannot go from ${before.phase} to ${phase}`);
    must(next.epoch >= before.epoch, `the epoch fell from ${before.epoch} to ${next.epoch}`);
  } else must(FIRST_PHASES.includes(phase), `a contract began as ${phase}`);
  must(
    (next.lock !== undefined) === (phase === 'Provisioning'),
    `${phase} with${next.lock ? '' : 'out'} a lock`,
  );
  const runs = phase === 'Provisioned' || phase === 'Active' || phase === 'Paused';
  must(!runs || next.instance, `${phase} without an instance`);
  must(!hasEnded(phase) || (next.holders ?? []).length === 0, `${phase} with holders`);
  must(!hasEnded(phase) || !next.instance, `${phase} with an instance`);
}
