/** What a provider says of a pool, as a change of its spec: the same that YAML would say. */
import type { AgentPool } from '../../crds/agent-pool.ts';
import type { UpdatePoolRequest } from '../../crds/wire/pool-settings.ts';

type Spec = AgentPool['spec'];
type Placement = NonNullable<Spec['placement']>;

/** What is left out stays as it is; null takes it away. */
export function withSettings(spec: Spec, said: UpdatePoolRequest): Spec {
  const { strategy, instancesPerAgent, buildsPerAgent, overcommit, ...own } = said;
  const placing = { strategy, instancesPerAgent, buildsPerAgent, overcommit };
  const isPlaced = spec.placement !== undefined || Object.values(placing).some((value) => value != null);
  const placement: Placement = spec.placement ?? { strategy: 'Spread' };
  return { ...changed(spec, own), ...(isPlaced ? { placement: changed(placement, placing) } : {}) };
}

type IsOptional<T, K extends keyof T> = Record<never, never> extends Pick<T, K> ? null : never;
type Change<T> = { readonly [K in keyof T]?: T[K] | IsOptional<T, K> | undefined };

function changed<T extends object>(old: T, change: Change<T>): T {
  const said = Object.entries(change).filter(([, value]) => value !== undefined);
  const next = Object.entries({ ...old, ...Object.fromEntries(said) });
  return Object.fromEntries(next.filter(([, value]) => value !== null)) as T; // null is only said of what may be absent
}
