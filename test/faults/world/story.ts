/** What a failing scenario prints: what is wrong, what was done to it, and what the contract and the machines did. */
import type { Outcome } from './run-plan.ts';

export function tell({ plan, problems, struck, evidence, gist }: Outcome): string {
  const { versions, records, contractId } = evidence;
  return [
    `${plan.name}:`,
    ...problems.map((problem) => `  ✗ ${problem}`),
    'faults:',
    ...struck.map((line) => `  ${line}`),
    'the contract:',
    ...versions.map(({ heardAt, contract: { metadata, status } }) => {
      const {
        phase,
        epoch,
        reason,
        lock,
        holders = [],
        instance,
        attempts = [],
        nextAttemptAt,
      } = status ?? {};
      const facts = {
        ...{ epoch, reason, lock: lock && `${lock.agent}@${lock.epoch}`, nextAttemptAt },
        holders: holders.map((one) => `${one.agent}@${one.epoch}`).join(),
        instance: instance && `${instance.externalId}@${instance.epoch}`,
        attempts: attempts.map(({ agent, epoch: of, outcome }) => `${agent}@${of} ${outcome}`).join(),
      };
      return `  ${clockOf(heardAt.toISOString())} v${metadata.resourceVersion} ${phase} ${JSON.stringify(facts)}`;
    }),
    'the ledger:',
    ...records
      .filter((record) => record.contractId === contractId)
      .map(({ at, host, event, epoch }) => `  ${clockOf(at)} ${host} ${event} epoch ${epoch}`),
    `in the end: ${JSON.stringify(gist)}`,
  ].join('\n');
}

const clockOf = (instant: string): string => instant.slice(11, 23);
