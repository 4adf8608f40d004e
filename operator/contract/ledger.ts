/**
 * What of a contract is written to PostgreSQL: which machine it has, and the whole of it once it ended. Every
 * reconcile asks for it anew; what this process has already written is not written again.
 */
import type { LiveContract } from '../../crds/contract/contract.ts';

export type ContractLedger = Readonly<{
  recordInstance: (contract: LiveContract) => Promise<void>;
  archive: (contract: LiveContract) => Promise<void>;
}>;

export type LedgerStore = Readonly<{
  archive: Readonly<{ put: (contract: LiveContract) => Promise<unknown> }>;
  instances: Readonly<{
    put: (
      instance: Readonly<{
        contractUid: string;
        epoch: number;
        agentUid: string;
        externalId: string;
        at: Date;
      }>,
    ) => Promise<unknown>;
  }>;
}>;

const REMEMBERED_MAX = 50_000;

export function createLedger(store: LedgerStore): ContractLedger {
  const recorded = new Map<string, string>();
  return {
    recordInstance: async ({ metadata, status }) => {
      const { instance } = status;
      const uid = metadata.uid ?? '';
      const mark = `${instance?.epoch}/${instance?.externalId}/${status.phase}`;
      if (!instance || recorded.get(uid) === mark) return;
      const at = new Date(status.history?.at(-1)?.at ?? metadata.creationTimestamp ?? 0);
      const { epoch, agentUID, externalId } = instance;
      await store.instances.put({ contractUid: uid, epoch, agentUid: agentUID, externalId, at });
      recorded.set(uid, mark);
      if (recorded.size > REMEMBERED_MAX) recorded.delete(recorded.keys().next().value ?? '');
    },
    archive: async (contract) => {
      await store.archive.put(contract);
      recorded.delete(contract.metadata.uid ?? '');
    },
  };
}
