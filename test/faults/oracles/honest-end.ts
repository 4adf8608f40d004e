/**
 * A contract that ended has no machine, unless the debt stands on its Agent; one that was accepted is Active or has
 * ended with a reason by its deadline.
 */
import { hasEnded } from '../../../crds/contract/phase.ts';
import { type Evidence, type Oracle, standingAt } from './evidence.ts';

export const honestEnd: Oracle = (evidence) => [
  ...empty(evidence),
  ...reasons(evidence),
  ...inTime(evidence),
];

function empty(evidence: Evidence): string[] {
  const { versions, agents } = evidence;
  const ended = versions.find(
    ({ contract, isDeleted }) => isDeleted || (contract.status && hasEnded(contract.status.phase)),
  );
  if (!ended) return [];
  const uid = ended.contract.metadata.uid;
  const isOwed = (agentUid: string, epoch: number): boolean =>
    agents.some(
      ({ metadata, status }) =>
        metadata.uid === agentUid &&
        status?.owedDestroys?.some((debt) => debt.contractUID === uid && debt.epoch === epoch),
    );
  return standingAt(evidence, ended.heardAt.toISOString())
    .filter(({ agentUid, epoch }) => !isOwed(agentUid, epoch))
    .map(
      ({ externalId, host, epoch }) =>
        `it ended as ${ended.contract.status?.phase} while ${externalId} (epoch ${epoch}) stood on ${host}`,
    );
}

function reasons({ versions }: Evidence): string[] {
  const status = versions.at(-1)?.contract.status;
  if (status?.phase !== 'Failed' || (status.reason && status.message)) return [];
  return ['it failed without a reason that its tenant can read'];
}

function inTime({ versions }: Evidence): string[] {
  return versions.flatMap(({ contract: { status }, heardAt }) => {
    const isWaiting = status && ['Accepted', 'Provisioning', 'Provisioned'].includes(status.phase);
    if (!isWaiting || !status.provisionBy || status.startsAt) return [];
    const lateMs = heardAt.getTime() - Date.parse(status.provisionBy);
    return lateMs > LATE_MS ? [`it was still ${status.phase} ${lateMs} ms after its deadline`] : [];
  });
}

/** The operator declares the deadline a moment after it has passed. */
const LATE_MS = 30_000;
