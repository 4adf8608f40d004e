/** Every version of every contract, as the API server told somebody who stands beside the faults. */
import type { Contract } from '../../../crds/contract/contract.ts';
import type { KubeClient } from '../../../kube/client.ts';
import { isGone } from '../../../kube/error.ts';
import type { Clock } from '../../../lib/clock.ts';
import { resourceOf } from '../../world/market.ts';

export type Version = Readonly<{
  /** When it was heard of: at or after the write. */
  heardAt: Date;
  contract: Contract;
  /** It has left the cluster. */
  isDeleted: boolean;
  /** Versions before it may be missing: a restarted API server remembers nothing older than itself. */
  isAfterGap: boolean;
}>;

export type History = Readonly<{
  /** All of one contract, oldest first. */
  of: (uid: string) => readonly Version[];
  all: () => ReadonlyMap<string, readonly Version[]>;
  /** Called with every version from now on; answers how to stop. */
  follow: (hear: (version: Version) => void) => () => void;
  close: () => Promise<void>;
}>;

/** Goes on from the last version when its watch is cut: nothing is missed, unless the API server forgets. */
export async function recordHistory(
  client: KubeClient,
  { namespace, clock }: Readonly<{ namespace: string; clock: Clock }>,
): Promise<History> {
  const resource = resourceOf<Contract>(client, 'Contract');
  const versions = new Map<string, Version[]>();
  const followers = new Set<(version: Version) => void>();
  const stop = new AbortController();
  let { resourceVersion } = await resource.list({ namespace });
  const note = (contract: Contract, { isDeleted = false, isAfterGap = false } = {}): void => {
    const version = { heardAt: clock.now(), contract, isDeleted, isAfterGap };
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
        note(event.object, { isDeleted: event.type === 'DELETED' });
      }
    }
  };
  const relist = async (): Promise<void> => {
    const page = await resource.list({ namespace }, stop);
    for (const contract of page.items) {
      const last = versions.get(contract.metadata.uid ?? '')?.at(-1)?.contract;
      if (last?.metadata.resourceVersion !== contract.metadata.resourceVersion)
        note(contract, { isAfterGap: true });
    }
    resourceVersion = page.resourceVersion;
  };
  const running = (async () => {
    while (!stop.signal.aborted) {
      try {
        await watch();
      } catch (error) {
        if (!stop.signal.aborted && isGone(error)) await relist().catch(() => undefined);
        await clock.sleep(1000);
      }
    }
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
