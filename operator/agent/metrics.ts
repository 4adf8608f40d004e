/** Figures over all agents, as they stand on their objects at the scrape. */
import { Gauge, type Registry } from 'prom-client';
import type { Agent } from '../../crds/agent.ts';

export function addAgentMetrics(registry: Registry, agents: () => readonly Agent[]): void {
  const registers = [registry];
  new Gauge({
    name: 'dcmarket_orphan_instances',
    help: 'Machines of no contract: all, those in quarantine, those that wait for their turn to be destroyed.',
    labelNames: ['stage'],
    registers,
    collect() {
      for (const stage of ['count', 'stopped', 'waiting'] as const) {
        const sum = agents().reduce((total, { status }) => total + (status?.orphans?.[stage] ?? 0), 0);
        this.set({ stage: stage === 'count' ? 'all' : stage }, sum);
      }
    },
  });
  new Gauge({
    name: 'dcmarket_duplicate_agents',
    help: 'Agents whose key another process uses.',
    registers,
    collect() {
      this.set(
        agents().filter(({ status }) =>
          status?.conditions?.some((it) => it.type === 'Unique' && it.status === 'False'),
        ).length,
      );
    },
  });
}
