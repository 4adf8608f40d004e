/**
 * At most one machine per contract that its tenant is told about; it really stands while the tenant is told so;
 * and nothing else of this contract is left in the end.
 */
import type { ContractPhase } from '../../../crds/contract/phase.ts';
import type { Instance } from '../../../crds/contract/status.ts';
import { decidedAfter, type Evidence, type Oracle } from './evidence.ts';
import type { Version } from './history.ts';

const TOLD: readonly ContractPhase[] = ['Provisioned', 'Active', 'Paused'];

export const oneInstance: Oracle = (evidence) => [...told(evidence), ...leftOver(evidence)];

/** What the tenant is shown, if anything. */
function toldIn({ contract: { status } }: Version): Instance | undefined {
  return status && TOLD.includes(status.phase) ? status.instance : undefined;
}

const isSame = (a: Instance | undefined, b: Instance | undefined): boolean =>
  a?.agentUID === b?.agentUID && a?.epoch === b?.epoch && a?.externalId === b?.externalId;

function told({ versions, records, contractId }: Evidence): string[] {
  return versions.flatMap((version, index) => {
    const instance = toldIn(version);
    const { status } = version.contract;
    if (!instance || !status) return [];
    const { agentUID, epoch, externalId } = instance;
    const what = `${externalId} (epoch ${epoch})`;
    const its = records.filter(
      (record) =>
        record.contractId === contractId &&
        record.externalId === externalId &&
        record.agentUid === agentUID &&
        record.epoch === epoch,
    );
    const heard = version.heardAt.toISOString();
    const isBuilt = its.some(({ event, at }) => (event === 'created' || event === 'adopted') && at <= heard);
    const next = versions.slice(index + 1).find((later) => !isSame(toldIn(later), instance));
    const until = next ? decidedAfter(next) : undefined;
    const lost = its.find(
      ({ event, at }) => event === 'destroyed' && (until === undefined || at < until) && at > heard,
    );
    const isHolder = status.holders?.some((one) => one.agentUID === agentUID && one.epoch === epoch);
    return [
      ...(epoch === status.epoch ? [] : [`${what} is told in ${status.phase}, but epoch is ${status.epoch}`]),
      ...(isHolder ? [] : [`${what} is told in ${status.phase}, but its agent is no holder`]),
      ...(isBuilt ? [] : [`${what} is told in ${status.phase}, but was never built by ${agentUID}`]),
      ...(lost ? [`${what} was destroyed at ${lost.at} while the tenant was told about it`] : []),
    ];
  });
}

function leftOver({ versions, machines, contractId }: Evidence): string[] {
  const last = versions.at(-1);
  const instance = last && toldIn(last);
  return machines
    .filter((machine) => machine.contractId === contractId)
    .filter(
      ({ externalId, agentUid, epoch }) =>
        !instance || !isSame(instance, { externalId, agentUID: agentUid, epoch }),
    )
    .map(
      ({ host, externalId, epoch, state }) =>
        `${externalId} (epoch ${epoch}, ${state}) still stands on ${host}, and is not the contract's`,
    );
}
