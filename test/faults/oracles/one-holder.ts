/**
 * At most one holder per (contract, epoch); epochs only rise; who builds was granted what it builds; a report of
 * another epoch than the contract's changes nothing.
 */
import type { ContractStatus } from '../../../crds/contract/status.ts';
import type { Evidence, Oracle } from './evidence.ts';

export const oneHolder: Oracle = (evidence) => {
  const statuses = evidence.versions.flatMap(({ contract }) => (contract.status ? [contract.status] : []));
  return [...rising(statuses), ...grants(statuses), ...reports(evidence), ...built(evidence, statuses)];
};

function rising(statuses: readonly ContractStatus[]): string[] {
  return pairs(statuses)
    .filter(([before, after]) => after.epoch < before.epoch)
    .map(([before, after]) => `the epoch fell from ${before.epoch} to ${after.epoch}`);
}

/** Who was ever granted an epoch: an agent, and one process of it. */
function grants(statuses: readonly ContractStatus[]): string[] {
  const holders = new Map<number, string>();
  const sessions = new Map<number, string>();
  const problems: string[] = [];
  const once = (known: Map<number, string>, epoch: number, who: string, what: string): void => {
    const first = known.get(epoch) ?? who;
    if (first !== who) problems.push(`epoch ${epoch} was granted to two ${what}: ${first} and ${who}`);
    known.set(epoch, first);
  };
  for (const { holders: entries = [], lock } of statuses) {
    for (const { agentUID, epoch } of entries) once(holders, epoch, agentUID, 'agents');
    if (lock) once(holders, lock.epoch, lock.agentUID, 'agents');
    if (lock) once(sessions, lock.epoch, lock.session, 'sessions');
  }
  return [...new Set(problems)];
}

/** A machine that becomes the contract's was reported by a holder of the epoch that the contract had then. */
function reports({ versions }: Evidence): string[] {
  return pairs(versions).flatMap(([earlier, later]) => {
    const before = earlier.contract.status;
    const instance = later.contract.status?.instance;
    if (!before || later.isAfterGap || !instance || instance.epoch === before.instance?.epoch) return [];
    const isHolder = before.holders?.some(
      ({ agentUID, epoch }) => agentUID === instance.agentUID && epoch === instance.epoch,
    );
    return instance.epoch === before.epoch && isHolder
      ? []
      : [`a report of epoch ${instance.epoch} was taken while the contract was at ${before.epoch}`];
  });
}

function built({ records, contractId }: Evidence, statuses: readonly ContractStatus[]): string[] {
  const isGranted = (agentUid: string, epoch: number): boolean =>
    statuses.some(({ lock, holders = [], attempts = [] }) =>
      [...(lock ? [lock] : []), ...holders, ...attempts].some(
        (one) => one.agentUID === agentUid && one.epoch === epoch,
      ),
    );
  return records
    .filter(({ contractId: of, event }) => of === contractId && event === 'create-begun')
    .filter(({ agentUid, epoch }) => !isGranted(agentUid, epoch))
    .map(({ agentUid, epoch, at }) => `${agentUid} built at ${at} for epoch ${epoch}, which it never had`);
}

const pairs = <T>(all: readonly T[]): (readonly [T, T])[] =>
  all.slice(1).map((after, index) => [all[index] as T, after] as const); // one less, so it is there
