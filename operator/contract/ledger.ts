/**
 * What of a contract is written to PostgreSQL: which machine it has, and the whole of it once it ended. Every
 * reconcile asks for it anew; what this process has already written is not written again.
 */
import type { LiveContract } from '../../crds/contract/contract.ts';
import { giveUpsOf } from '../../crds/contract/give-up.ts';
import type { Store } from '../../store/store.ts';
import { letterOf } from './chronicle.ts';

export type LedgerStore = Pick<Store, 'archive' | 'instances' | 'attempts' | 'deadLetters'>;

export type ContractLedger = Readonly<{
  /** Throws StoreUnavailable, which the runtime retries; the contract itself does not wait for it. */
  recordInstance: (contract: LiveContract) => Promise<void>;
  archive: (contract: LiveContract) => Promise<void>;
}>;

const REMEMBERED_MAX = 50_000;

export function createLedger(store: LedgerStore): ContractLedger {
  const recorded = new Map<string, string>();
  return {
    recordInstance: async ({ metadata, status }) => {
      const { instance, phase } = status;
      const uid = metadata.uid ?? '';
      const { access } = status;
      const event = phase !== 'Provisioned' && status.startsAt ? 'Active' : 'Provisioned';
      const mark = `${instance?.agentUID}/${instance?.epoch}/${instance?.externalId}/${event}/${JSON.stringify(access)}`;
      if (!instance || recorded.get(uid) === mark) return;
      const at = new Date(status.history?.at(-1)?.at ?? metadata.creationTimestamp ?? 0);
      const { epoch, agentUID, externalId } = instance;
      await store.instances.put({ contractUID: uid, epoch, agentUID, externalId, event, at, access });
      recorded.set(uid, mark);
      const [oldest] = recorded.keys();
      if (recorded.size > REMEMBERED_MAX && oldest !== undefined) recorded.delete(oldest);
    },
    archive: async (contract) => {
      const contractUID = contract.metadata.uid ?? '';
      // What the object still knows, before it may go; the chronicle of a process that was killed did not.
      await store.attempts.put((contract.status.attempts ?? []).map((attempt) => ({ contractUID, attempt })));
      await store.deadLetters.put(giveUpsOf(contract.status).map((giveUp) => letterOf(contract, giveUp)));
      await store.archive.put(contract);
      recorded.delete(contractUID);
    },
  };
}
