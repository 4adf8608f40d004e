/**
 * Contracts are moved away from drained agents one after the other. Room is seen as free until the agent that takes
 * it has claimed: asked at the same time, a hundred contracts all find the one place that is left, and all would give
 * their machines up for it. So the next one of a namespace goes when nobody that was moved waits any more, nor
 * anybody else who waits and could use that very room: what has a machine stands behind what has none.
 */
import type { Contract } from '../../crds/contract/contract.ts';
import { demandKeys } from '../../crds/contract/eligibility.ts';
import type { Cache } from '../../kube/cache.ts';
import type { Clock } from '../../lib/clock.ts';

export type MoveTurns = Readonly<{
  /** Another one is on its way. */
  isTaken: (contract: Contract) => boolean;
  /** Takes no turn: others may be told the same until one of them does. */
  goesLast: (contract: Contract, couldUse: CouldUse) => boolean;
  take: (contract: Contract) => void;
}>;

/** Whether what waits could be built right now in the room that the move would take. */
export type CouldUse = (waiting: Contract) => boolean;

type Deps = Readonly<{
  contracts: Pick<Cache<Contract>, 'getByIndex'>;
  clock: Pick<Clock, 'monotonicMs'>;
}>;

/** Until the move has been written and is seen in the cache. */
const TURN_MS = 10_000;

/** For one leadership. */
export function createMoveTurns({ contracts, clock }: Deps): MoveTurns {
  const turns = new Map<string, Readonly<{ uid: string; untilMs: number }>>(); // by namespace
  return {
    isTaken: ({ metadata: { namespace = '', uid } }) => {
      const turn = turns.get(namespace);
      return turn !== undefined && turn.uid !== uid && clock.monotonicMs() < turn.untilMs;
    },
    goesLast: (contract, couldUse) =>
      demandKeys(contract).some((key) =>
        contracts.getByIndex('waiting', key).some((waiting) => goesBefore(waiting, couldUse)),
      ),
    take: ({ metadata: { namespace = '', uid = '' } }) =>
      void turns.set(namespace, { uid, untilMs: clock.monotonicMs() + TURN_MS }),
  };
}

/**
 * It was moved itself and has no place yet, or had none and could use the very room that is seen. What is on its way
 * somewhere holds nobody up, nor what waits for room that is not there.
 */
const goesBefore = (waiting: Contract, couldUse: CouldUse): boolean =>
  waiting.status?.scheduling === undefined
    ? waiting.status?.history?.at(-1)?.reason === 'Moved'
    : couldUse(waiting);
