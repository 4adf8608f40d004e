/**
 * Says that an older etcd was put back: one write of ConfigMap `dcmarket-world` by compare-and-swap, above every
 * generation that etcd, PostgreSQL and the evidence know. Evidence of an earlier world changes nothing.
 */
import { Problem } from '../../crds/problem.ts';
import {
  dataOf,
  GO_ON_WITHOUT,
  isNews,
  LET_GO,
  raised,
  type Sign,
  type World,
  worldOf,
} from '../../crds/restore/world.ts';
import { swapConfigMap } from '../../kube/config-map.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Clients } from '../clients.ts';
import type { StorePort } from '../store-port.ts';

export type Raiser = Readonly<{
  clients: Pick<Clients, 'configMaps'>;
  store: Pick<StorePort, 'restore'>;
  clock: Clock;
  log: Logger;
  stopping: AbortSignal;
}>;

const WRITES_MAX = 5;
const AGAIN_MS = 1000;

type Raising = Readonly<{
  ref: Readonly<{ namespace: string; name: string }>;
  sign: Sign;
  see: (world: World) => void;
}>;

export async function raiseGeneration(
  { clients, store, clock, log }: Raiser,
  { ref, sign, see }: Raising,
): Promise<void> {
  for (let tries = 0; tries < WRITES_MAX; tries++) {
    const live = await clients.configMaps.get(ref);
    const world = worldOf(live);
    see(world);
    if (!isNews(world, sign)) return;
    const stored = await store.restore.world().then(
      ({ generation }) => generation,
      () => 0, // it follows later; the operator sees to it
    );
    const next = raised(world, { sign, stored, now: clock.now() });
    // What people said of an earlier restore goes.
    const written = await swapConfigMap(clients.configMaps, {
      ref,
      live,
      data: dataOf(next),
      without: [GO_ON_WITHOUT, LET_GO],
    });
    if (!written) continue;
    log.error(
      { ...next, unclaimed: undefined },
      'an older etcd was put back: nothing is done until agents have listed',
    );
    see(next);
    await store.restore.raise(next.generation).catch((error: unknown) => {
      log.warn({ err: error }, 'the database does not know the new generation yet');
    });
    return;
  }
  throw new Problem('Conflict', 'The generation was raised by others too often in a row.', {
    next: 'Send the request again.',
  });
}

export async function untilDone(
  { clock, log, stopping }: Pick<Raiser, 'clock' | 'log' | 'stopping'>,
  attempt: () => Promise<void>,
): Promise<void> {
  while (!stopping.aborted) {
    try {
      return await attempt();
    } catch (error) {
      log.warn({ err: error }, 'an older etcd is suspected; the generation could not be raised yet');
    }
    await clock.sleep(AGAIN_MS, { signal: stopping }).catch(() => undefined);
  }
}
