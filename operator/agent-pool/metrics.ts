/** The figures of pools as they stand in their status at the scrape: nothing is counted for it. */
import type { Registry } from 'prom-client';
import type { AgentPool } from '../../crds/agent-pool.ts';
import type { Capacity } from '../../crds/capacity.ts';
import { numberOf } from '../../crds/placement/amounts.ts';
import { metricsOf } from '../../kube/metrics/registry.ts';

type Status = NonNullable<AgentPool['status']>;
/** By the value of the label; undefined is not known, and not shown. */
type Figures = Readonly<Record<string, number | undefined>>;

type PoolMetric = Readonly<{
  name: string;
  help: string;
  label: string;
  of: (status: Status) => Figures;
}>;

const METRICS: readonly PoolMetric[] = [
  {
    name: 'dcmarket_pool_agents',
    help: 'Agents of a pool: joined and not revoked, and of those online',
    label: 'state',
    of: ({ agents, online }) => ({ joined: agents, online }),
  },
  {
    name: 'dcmarket_pool_contracts',
    help: 'Contracts of a pool: with a holder in it, and those that wait for it',
    label: 'state',
    of: ({ activeContracts, waitingContracts }) => ({ active: activeContracts, waiting: waitingContracts }),
  },
  {
    name: 'dcmarket_pool_attempts_24h',
    help: 'How the attempts of the last 24 hours of the agents of a pool ended',
    label: 'outcome',
    of: ({ attempts24h }) => ({ ...attempts24h }),
  },
  {
    name: 'dcmarket_pool_allocated',
    help: 'Promised to contracts: CPUs, bytes, pieces',
    label: 'resource',
    of: ({ allocated }) => amountsOf(allocated),
  },
  {
    name: 'dcmarket_pool_free',
    help: 'What may still be promised by the agents that take work: CPUs, bytes, pieces',
    label: 'resource',
    of: ({ free }) => amountsOf(free),
  },
];

export function addPoolMetrics(registry: Registry, pools: () => readonly AgentPool[]): void {
  const { gauge } = metricsOf(registry);
  for (const { name, help, label, of } of METRICS)
    gauge(name, help, ['namespace', 'pool', label], (metric) => {
      metric.reset(); // of a pool that is gone nothing is said
      for (const { metadata, status = {} } of pools())
        for (const [value, figure] of Object.entries(of(status)))
          if (figure !== undefined)
            metric.set({ namespace: metadata.namespace ?? '', pool: metadata.name, [label]: value }, figure);
    });
}

const amountsOf = ({ cpu, memory, storage, gpu, instances }: Capacity = {}): Figures => ({
  cpu: cpu === undefined ? undefined : numberOf(cpu),
  memory: memory === undefined ? undefined : numberOf(memory),
  storage: storage === undefined ? undefined : numberOf(storage),
  gpu,
  instances,
});
