/** Once converged nobody writes, and nobody touches a machine. */
import type { Evidence } from './evidence.ts';

export function changesBetween(before: Evidence, after: Evidence): string[] {
  const versions = after.versions.slice(before.versions.length);
  const records = after.records
    .slice(before.records.length)
    .filter(({ contractId }) => contractId === after.contractId);
  return [
    ...versions.map(({ contract }) => `written after it had converged: ${JSON.stringify(contract.status)}`),
    ...records.map((record) => `done after it had converged: ${JSON.stringify(record)}`),
  ];
}
