/**
 * How the last attempts of each agent ended. Failures are read from the contracts that have one, by an index;
 * contracts that went well are many, so of them only the last instant is kept, which can only rise.
 */
import type { Agent, AgentHealth } from '../../crds/agent.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import { healthOf, isFaultOfAgent } from '../../crds/placement/health.ts';

export type TrackRecords = Readonly<{
  of: (agent: Agent, now: Date) => AgentHealth;
  /** Every change of a contract. */
  note: (contract: Contract) => void;
  /** An agent has gone: of all that are not there any more nothing is kept. */
  forget: (isThere: (agentUID: string) => boolean) => void;
}>;

/** The index: agents that failed this contract and had nobody else to blame. */
export const failedAgents = ({ status }: Contract): string[] => [
  ...new Set((status?.attempts ?? []).filter(isFaultOfAgent).map(({ agentUID }) => agentUID)),
];

export function createTrackRecords(failedBy: (agentUID: string) => Iterable<Contract>): TrackRecords {
  const successMs = new Map<string, number>();
  return {
    note: ({ status }) => {
      for (const { agentUID, outcome, endedAt } of status?.attempts ?? [])
        if (outcome === 'Succeeded')
          successMs.set(agentUID, Math.max(successMs.get(agentUID) ?? 0, Date.parse(endedAt)));
    },
    forget: (isThere) => {
      for (const uid of successMs.keys()) if (!isThere(uid)) successMs.delete(uid);
    },
    of: (agent, now) => {
      const uid = agent.metadata.uid ?? '';
      const known = agent.status?.health;
      const own = healthOf(agent, { contracts: failedBy(uid), now });
      const lastMs = Math.max(
        instantMs(known?.lastSuccessAt),
        instantMs(own.lastSuccessAt),
        successMs.get(uid) ?? 0,
      );
      const failures = own.failures ?? [];
      return {
        ...(lastMs > 0 ? { lastSuccessAt: new Date(lastMs).toISOString() } : {}),
        ...(failures.length > 0 ? { failures } : {}),
      };
    },
  };
}

const instantMs = (instant: string | undefined): number => (instant ? Date.parse(instant) : 0);
