/** How many contracts are in each phase. Every phase is there, so that none is missing from a graph. */
import type { Registry } from 'prom-client';
import type { Contract } from '../../crds/contract/contract.ts';
import { PHASES } from '../../crds/contract/phase.ts';
import type { Cache } from '../../kube/cache.ts';
import { metricsOf } from '../../kube/metrics/registry.ts';

export function addPhaseMetric(registry: Registry, contracts: Pick<Cache<Contract>, 'countOf'>): void {
  metricsOf(registry).gauge(
    'dcmarket_contracts',
    'Contracts in the cluster, by phase',
    ['phase'],
    (metric) => {
      for (const phase of PHASES) metric.set({ phase }, contracts.countOf('phase', phase));
    },
  );
}
