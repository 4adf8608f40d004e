/** Every contract of a restore by itself: what is wrong with one is named, and does not stop the others. */
import type { Contract } from '../../crds/contract/contract.ts';
import { KubeError } from '../../kube/error.ts';

export type Unresolved = Readonly<{ contract: Contract; error: unknown }>;

/** Those that could not be resolved. Throws what concerns all of them: the API server or PostgreSQL is down. */
export async function resolveEach<T extends Contract>(
  contracts: readonly T[],
  resolve: (contract: T) => Promise<void>,
): Promise<Unresolved[]> {
  const unresolved: Unresolved[] = [];
  for (const contract of contracts)
    try {
      await resolve(contract);
    } catch (error) {
      if (!isItsOwn(error)) throw error;
      unresolved.push({ contract, error });
    }
  return unresolved;
}

/** An answer about this very object, or a rule that broke on it. */
const isItsOwn = (error: unknown): boolean =>
  error instanceof KubeError
    ? error.status >= 400 && !error.retryable && error.status !== 401 && error.status !== 403
    : error instanceof Error && !isOutage(error);

/** Errors that carry a code are of the store or of the process: an aborted call, a lost connection. */
const isOutage = (error: Error): boolean => error.name === 'AbortError' || 'code' in error;

const NAMED_MAX = 5;

/** For people: which contracts, who listed machines of them, and what was said. */
export function describeUnresolved(
  unresolved: readonly Unresolved[],
  listersOf: (contract: Contract) => readonly string[],
): string {
  const named = unresolved.slice(0, NAMED_MAX).map(({ contract, error }) => {
    const { namespace, name } = contract.metadata;
    const listers = listersOf(contract).slice(0, NAMED_MAX).join(', ') || 'nobody';
    const said = error instanceof Error ? error.message : String(error);
    return `contract ${namespace}/${name} (listed by ${listers}): ${said.slice(0, 300)}`;
  });
  const more = unresolved.length > NAMED_MAX ? ` and ${unresolved.length - NAMED_MAX} more` : '';
  return `${named.join('; ')}${more}`;
}
