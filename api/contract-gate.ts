/**
 * One at a time per contract in this process: of a hundred agents that race for a contract one writes and the
 * others decide on what it wrote, without a request each. It saves work; what protects the contract is the
 * compare-and-swap of the write, across processes too.
 */
import type { Contract } from '../crds/contract/contract.ts';
import { compareResourceVersions } from '../kube/object.ts';

type Turn = { tail: Promise<unknown>; waiting: number; latest: Contract | undefined };

export type Latest = Readonly<{
  /** The newer of `cached` and what an earlier turn of this contract has read or written. */
  newest: (cached: Contract | undefined) => Contract | undefined;
  remember: (contract: Contract) => void;
}>;

export class ContractGate {
  readonly #turns = new Map<string, Turn>();

  /** Runs `work` after all earlier work on this contract. */
  async run<T>(uid: string, work: (latest: Latest) => Promise<T>): Promise<T> {
    const turn = this.#turns.get(uid) ?? { tail: Promise.resolve(), waiting: 0, latest: undefined };
    this.#turns.set(uid, turn);
    turn.waiting++;
    const mine = turn.tail.then(() => work(latestOf(turn)));
    turn.tail = mine.catch(() => undefined); // its own caller hears of the failure; the next one goes on
    try {
      return await mine;
    } finally {
      if (--turn.waiting === 0) this.#turns.delete(uid);
    }
  }
}

const latestOf = (turn: Turn): Latest => ({
  newest: (cached) => (cached && turn.latest ? newer(cached, turn.latest) : (turn.latest ?? cached)),
  remember: (contract) => {
    turn.latest = contract;
  },
});

const newer = (a: Contract, b: Contract): Contract =>
  compareResourceVersions(a.metadata.resourceVersion ?? '0', b.metadata.resourceVersion ?? '0') >= 0 ? a : b;
