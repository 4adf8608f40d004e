/**
 * Contracts are moved away from drained agents one after the other. Room is seen as free until the agent that takes
 * it has claimed: asked at the same time, a hundred contracts all find the one place that is left, and all would give
 * their machines up for it. So the next one of a namespace goes when nobody that was moved waits any more, nor
 * anybody else who waits for such room: what has a machine stands behind what has none.
 */
import type { Contract } from '../../crds/contract/contract.ts';
import { demandKeys } from '../../crds/contract/eligibility.ts';
import type { SchedulingReason } from '../../crds/placement/explain.ts';
import type { Cache } from '../../kube/cache.ts';
import type { Clock } from '../../lib/clock.ts';

export type MoveTurns = Readonly<{
  /** What it waits for before it may be moved. Takes no turn: others may be told the same until one of them does. */
  waitsFor: (contract: Contract) => 'Nothing' | 'AnotherMove' | 'OthersThatWait';
  take: (contract: Contract) => void;
}>;

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
    waitsFor: (contract) => {
      const { namespace = '', uid } = contract.metadata;
      const turn = turns.get(namespace);
      if (turn && turn.uid !== uid && clock.monotonicMs() < turn.untilMs) return 'AnotherMove';
      const isLast = demandKeys(contract).some((key) =>
        contracts.getByIndex('waiting', key).some(goesBefore),
      );
      return isLast ? 'OthersThatWait' : 'Nothing';
    },
    take: ({ metadata: { namespace = '', uid = '' } }) =>
      void turns.set(namespace, { uid, untilMs: clock.monotonicMs() + TURN_MS }),
  };
}

/** It was moved itself, or waits for what may be the very room that is seen. */
function goesBefore({ status }: Contract): boolean {
  const reason = status?.scheduling?.reason;
  return reason === undefined ? status?.history?.at(-1)?.reason === 'Moved' : !ELSEWHERE.has(reason);
}

/** No room that somebody leaves is of use to these. */
const ELSEWHERE: ReadonlySet<string> = new Set<SchedulingReason>(['NoPool', 'NoAgent', 'NoMatchingAgent']);
