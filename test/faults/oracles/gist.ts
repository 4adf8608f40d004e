/** The end state without what differs from run to run by right: names, times, epochs and the way there. */
import { isDeepStrictEqual } from 'node:util';
import type { Evidence } from './evidence.ts';

export type Gist = Readonly<{
  phase: string;
  reason: string;
  hasLock: boolean;
  holders: number;
  hasInstance: boolean;
  hasAccess: boolean;
  hasFinalizer: boolean;
  isVerified: boolean;
  isArchived: boolean;
  /** States of the contract's machines on all hypervisors. */
  machines: readonly string[];
  debts: number;
}>;

export function gistOf({ versions, machines, contractId, agents }: Evidence): Gist {
  const last = versions.at(-1)?.contract;
  const status = last?.status;
  const uid = last?.metadata.uid;
  return {
    phase: status?.phase ?? 'none',
    reason: status?.reason ?? 'none',
    hasLock: status?.lock !== undefined,
    holders: status?.holders?.length ?? 0,
    hasInstance: status?.instance !== undefined,
    hasAccess: status?.access?.host !== undefined,
    hasFinalizer: (last?.metadata.finalizers ?? []).length > 0,
    isVerified: status?.access?.verifiedAt !== undefined,
    isArchived:
      status?.conditions?.some(({ type, status: is }) => type === 'Archived' && is === 'True') ?? false,
    machines: machines
      .filter((machine) => machine.contractId === contractId)
      .map(({ state }) => state)
      .sort(),
    debts: agents.flatMap(({ status: { owedDestroys = [] } = {} }) =>
      owedDestroys.filter(({ contractUID }) => contractUID === uid),
    ).length,
  };
}

/** After faults stop the world is as it would be without them. */
export function sameGist(expected: Gist, seen: Gist): readonly string[] {
  const keys = Object.keys(expected) as (keyof Gist)[]; // exactly the keys of the type
  return keys
    .filter((key) => !isDeepStrictEqual(expected[key], seen[key]))
    .map(
      (key) =>
        `${key} is ${JSON.stringify(seen[key])}, without faults it is ${JSON.stringify(expected[key])}`,
    );
}
