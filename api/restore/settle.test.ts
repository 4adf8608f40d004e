/** What of a failed call gives an older etcd away: a live read below the proven epoch, and nothing else. */
import { expect, test } from 'vitest';
import { aContract, uidOf } from '../../crds/contract/builders.ts';
import type { LiveContract } from '../../crds/contract/contract.ts';
import { epochAhead } from '../../crds/contract/stale.ts';
import { FIRST_WORLD, type Sign } from '../../crds/restore/world.ts';
import { KubeError } from '../../kube/error.ts';
import type { Deps } from '../deps.ts';
import { settleInWorld } from './settle.ts';

const at = (epoch: number) => aContract('Active', { epoch });
const down = new KubeError({ status: 503, reason: 'ServiceUnavailable', message: 'the API server is down' });

/** A proven report of epoch 7 on a cache that is at 3. */
async function report(live: LiveContract | Error) {
  const raised: Sign[] = [];
  const parts = {
    world: {
      now: () => FIRST_WORLD,
      requireNormal: () => undefined,
      requireCertain: async () => undefined,
      isProof: async () => true,
      raise: async (sign: Sign) => void raised.push(sign),
    },
    gate: {
      run: (_uid: string, work: (latest: object) => unknown) =>
        work({ newest: (it: unknown) => it, remember: () => undefined }),
    },
    caches: { contracts: { byUid: () => at(3) } },
    clients: {
      contracts: {
        get: async () => {
          if (live instanceof Error) throw live;
          return live;
        },
      },
    },
  };
  const error = await settleInWorld(
    parts as unknown as Deps, // all that settling asks of it
    {
      cached: at(3),
      rule: ({ status }) =>
        status.epoch < 7 ? epochAhead({ epoch: 7, status }) : { outcome: 'Answer', answer: {}, final: false },
      granted: { agentUID: uidOf(1), epoch: 7, proof: 'proven' },
    },
  ).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { error, raised };
}

test('a live read that failed says nothing about the epoch', async () => {
  expect(await report(down)).toEqual({ error: down, raised: [] });
});

test('a cache that lags is no older world', async () => {
  expect(await report(at(7))).toEqual({ error: undefined, raised: [] });
});

test('a proven epoch above the one that was read live is', async () => {
  const { error, raised } = await report(at(3));
  expect(error).toMatchObject({ code: 'Conflict', extra: { data: { then: 'Continue', statusEpoch: 3 } } });
  expect(raised).toMatchObject([{ because: 'EpochAhead', generation: 0, revealedBy: uidOf(1) }]);
});
