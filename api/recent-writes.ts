/**
 * What this process has written and its cache has not seen yet: a client that reports and then reads must not be
 * shown the state before its own report. An entry goes as soon as the watch has caught up.
 */
import type { Contract } from '../crds/contract/contract.ts';
import type { Informer } from '../kube/informer.ts';
import { compareResourceVersions } from '../kube/object.ts';

export type RecentWrites = Readonly<{
  note: (written: Contract) => void;
  /** Calls `handler` with everything that is noted. */
  onNote: (handler: (written: Contract) => void) => void;
  /** What was written and not seen yet, in which the agent is a holder. */
  heldBy: (agentUid: string) => readonly Contract[];
  /** The newer one of what is cached and what was written. */
  newest: (uid: string, cached: Contract | undefined) => Contract | undefined;
}>;

const versionOf = ({ metadata }: Contract): string => metadata.resourceVersion ?? '0';

export function createRecentWrites(
  contracts: Pick<Informer<Contract>, 'onChange' | 'onWentBack' | 'cache'>,
): RecentWrites {
  const written = new Map<string, Contract>();
  const handlers: ((contract: Contract) => void)[] = [];
  contracts.onChange(({ type, object }) => {
    const uid = object.metadata.uid ?? '';
    const mine = written.get(uid);
    if (mine && (type === 'Deleted' || compareResourceVersions(versionOf(object), versionOf(mine)) >= 0))
      written.delete(uid);
  });
  contracts.onWentBack(() => written.clear()); // what was written was undone
  return {
    note: (contract) => {
      const seen = contracts.cache.resourceVersion();
      // The watch may have been faster than the answer to the write.
      if (seen === undefined || compareResourceVersions(seen, versionOf(contract)) < 0)
        written.set(contract.metadata.uid ?? '', contract);
      for (const handler of handlers) handler(contract);
    },
    onNote: (handler) => void handlers.push(handler),
    heldBy: (agentUid) =>
      [...written.values()].filter(({ status }) =>
        status?.holders?.some(({ agentUID }) => agentUID === agentUid),
      ),
    newest: (uid, cached) => {
      const mine = written.get(uid);
      if (!mine || !cached) return cached;
      return compareResourceVersions(versionOf(mine), versionOf(cached)) > 0 ? mine : cached;
    },
  };
}
