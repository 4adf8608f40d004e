/** Whether a provider may act: nobody older has its namespace or its key. */
import { withCondition } from '../../crds/condition.ts';
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
  const terminating = uses && withTerminating(status.conditions, { kind: 'Provider', uses, now });
  return {
    ...status,
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
    conditions: withCondition(terminating ?? status.conditions, {
      next: { type: 'Ready', ...readiness(provider, rivals) },
      now,
    }),
  };
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
