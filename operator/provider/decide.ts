/** Whether a provider may act: nobody older has its namespace or its key. */
import { type Condition, withCondition } from '../../crds/condition.ts';
import { type Uses, withTerminating } from '../../crds/in-use.ts';
import type { Provider } from '../../crds/provider.ts';

export type ProviderFacts = Readonly<{
  provider: Provider;
  /** All others that name the same namespace or the same key. */
  rivals: readonly Provider[];
  /** What is still in its namespace; given once it was deleted. It may act until that is gone. */
  uses?: Uses | undefined;
  now: Date;
}>;

export function decideProvider({
  provider,
  rivals,
  uses,
  now,
}: ProviderFacts): NonNullable<Provider['status']> {
  const { metadata } = provider;
  const status = provider.status ?? {};
  const ready = readiness(provider, rivals);
  const terminating = uses && withTerminating(status.conditions, { kind: 'Provider', uses, now });
  return {
    ...status,
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
    conditions: withStalled(
      withCondition(terminating ?? status.conditions, { next: { type: 'Ready', ...ready }, now }),
      { ready, now },
    ),
  };
}

/** Its namespace and key are for life: only somebody can help, and GitOps tools call that failed (kstatus). */
function withStalled(
  conditions: Condition[],
  { ready, now }: Readonly<{ ready: ReturnType<typeof readiness>; now: Date }>,
): Condition[] {
  const isStalled = ready.status === 'False';
  if (!isStalled && !conditions.some(({ type }) => type === 'Stalled')) return conditions;
  const next = { ...ready, type: 'Stalled', status: isStalled ? 'True' : 'False' } as const;
  return withCondition(conditions, { next, now });
}

function readiness(
  provider: Provider,
  rivals: readonly Provider[],
): Readonly<{ status: 'True' | 'False'; reason: string; message: string }> {
  const older = rivals.filter((rival) => isOlder(rival, provider));
  const sameNamespace = older.find(({ spec }) => spec.namespace === provider.spec.namespace);
  if (sameNamespace)
    return {
      status: 'False',
      reason: 'NamespaceTaken',
      message: `Namespace ${provider.spec.namespace} belongs to provider ${sameNamespace.metadata.name}`,
    };
  const sameKey = older.find(({ spec }) => spec.publicKey === provider.spec.publicKey);
  if (sameKey)
    return {
      status: 'False',
      reason: 'NamespaceTaken',
      message: `Its key belongs to provider ${sameKey.metadata.name}`,
    };
  return { status: 'True', reason: 'Ready', message: 'It may sell' };
}

/** By creation, then by name: the same answer on every look. */
function isOlder(a: Provider, b: Provider): boolean {
  const [left, right] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  return left === right ? a.metadata.name < b.metadata.name : left < right;
}
