/** Every version of every contract, as the API server told somebody who stands beside the faults. */
import type { Contract } from '../../../crds/contract/contract.ts';
import type { KubeClient } from '../../../kube/client.ts';
import type { Clock } from '../../../lib/clock.ts';
import { resourceOf } from '../../world/market.ts';

export type Version = Readonly<{
  /** When it was heard of: at or after the write. */
  heardAt: Date;
  contract: Contract;
  /** It has left the cluster. */
  isDeleted: boolean;
}>;

export type History = Readonly<{
  /** All of one contract, oldest first. */
  of: (uid: string) => readonly Version[];
  all: () => ReadonlyMap<string, readonly Version[]>;
  /** Called with every version from now on; answers how to stop. */
  follow: (hear: (version: Version) => void) => () => void;
  close: () => Promise<void>;
}>;

/** Resolves when the watch is open. It goes on from the last version when it is cut, so nothing is missed. */
export async function recordHistory(
  client: KubeClient,
  { namespace, clock }: Readonly<{ namespace: string; clock: Clock }>,
): Promise<History> {
  const resource = resourceOf<Contract>(client, 'Contract');
  const versions = new Map<string, Version[]>();
  const followers = new Set<(version: Version) => void>();
  const stop = new AbortController();
  let { resourceVersion } = await resource.list({ namespace });
  const note = (contract: Contract, isDeleted: boolean): void => {
    const version = { heardAt: clock.now(), contract, isDeleted };
    const uid = contract.metadata.uid ?? '';
    versions.set(uid, [...(versions.get(uid) ?? []), version]);
    for (const hear of followers) hear(version);
  };
  const watch = async (): Promise<void> => {
    const events = resource.watch({ namespace, resourceVersion, allowWatchBookmarks: true }, stop);
    for await (const event of events) {
      if (event.type === 'BOOKMARK') resourceVersion = event.resourceVersion;
      else {
        resourceVersion = event.object.metadata.resourceVersion ?? resourceVersion;
        note(event.object, event.type === 'DELETED');
      }
    }
  };
  const running = (async () => {
    while (!stop.signal.aborted) await watch().catch(() => clock.sleep(1000));
  })();
  return {
    of: (uid) => versions.get(uid) ?? [],
    all: () => versions,
    follow: (hear) => {
      followers.add(hear);
      return () => void followers.delete(hear);
    },
    close: async () => {
      stop.abort(new Error('closed'));
      await running;
    },
  };
}
