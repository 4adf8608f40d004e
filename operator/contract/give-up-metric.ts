/** How often contracts were given up, by reason. Every reason begins at 0, so that `rate()` sees the first one. */
import type { Registry } from 'prom-client';
import { GIVE_UP_REASONS, type GiveUpReason } from '../../crds/contract/give-up.ts';
import { metricsOf } from '../../kube/metrics/registry.ts';

export function giveUpMetric(registry: Registry): (reason: GiveUpReason) => void {
  const total = metricsOf(registry).counter(
    'dcmarket_contracts_given_up_total',
    'Contracts that failed, debts of agents, holders released by force',
    ['reason'],
  );
  for (const reason of GIVE_UP_REASONS) total.inc({ reason }, 0);
  return (reason) => total.inc({ reason });
}
