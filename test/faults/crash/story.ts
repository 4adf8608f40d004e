/** What happened to one contract, in order: what the API server said and what hypervisors did, for people. */
import type { Evidence } from '../oracles/evidence.ts';

export function storyOf({ versions, records, contractId, agents }: Evidence): string {
  const nameOf = (uid: string): string =>
    agents.find(({ metadata }) => metadata.uid === uid)?.metadata.name ?? uid;
  const told = versions.map(({ heardAt, contract: { status, metadata } }) => {
    const { phase, reason, epoch, lock, holders = [], instance } = status ?? {};
    const held = holders.map((one) => `${nameOf(one.agentUID)}@${one.epoch}`).join(' ');
    const machine = instance ? ` instance ${nameOf(instance.agentUID)}@${instance.epoch}` : '';
    const by = lock ? ` lock ${nameOf(lock.agentUID)}@${lock.epoch} ${lock.session}` : '';
    const last = status?.history?.at(-1);
    const what = `${phase} ${reason} epoch ${epoch}${by} holders [${held}]${machine} (last move by ${last?.by})`;
    return { at: heardAt.toISOString(), what: `v${metadata.resourceVersion} ${what}` };
  });
  const done = records
    .filter((record) => record.contractId === contractId)
    .map(({ at, host, agentUid, epoch, event }) => ({
      at,
      what: `    ${event} on ${host} by ${nameOf(agentUid)}@${epoch}`,
    }));
  return [...told, ...done]
    .sort((a, b) => a.at.localeCompare(b.at))
    .map(({ at, what }) => `${at} ${what}`)
    .join('\n');
}
