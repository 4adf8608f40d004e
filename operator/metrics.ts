/** The operator's own figures, beside those of the controller runtime. Read from the caches at each scrape. */
import type { Registry } from 'prom-client';
import type { Clock } from '../lib/clock.ts';
import { addAgentMetrics } from './agent/metrics.ts';
import { addPoolMetrics } from './agent-pool/metrics.ts';
import type { Informers } from './clients.ts';
import { giveUpMetric } from './contract/give-up-metric.ts';
import { addPhaseMetric } from './contract/phase-metric.ts';
import { stuckMetrics } from './contract/stuck.ts';

type Watched = Readonly<{
  informers: Pick<Informers, 'agents' | 'pools' | 'contracts'>;
  clock: Pick<Clock, 'now'>;
}>;

/** Answers how to count what has no object to be read from. */
export function addMetrics(registry: Registry, { informers: { agents, pools, contracts }, clock }: Watched) {
  addAgentMetrics(registry, agents.cache.list);
  addPoolMetrics(registry, pools.cache.list);
  addPhaseMetric(registry, contracts.cache);
  return {
    countGiveUp: giveUpMetric(registry),
    countStuck: stuckMetrics(registry, { contracts: contracts.cache, clock }),
  };
}
