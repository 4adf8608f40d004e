import { expect, test } from 'vitest';
import { at } from '../../crds/contract/builders.ts';
import { Problem } from '../../crds/problem.ts';
import { dataOf, FIRST_WORLD, raised, WORLD, type World, worldOf } from '../../crds/restore/world.ts';
import type { ConfigMap } from '../../kube/config-map.ts';
import { fakeClock } from '../../lib/fake-clock.ts';
import { createLogger } from '../../lib/log.ts';
import { keepWorld, type RestoreDeps } from './keeper.ts';

const resolving = raised(FIRST_WORLD, {
  sign: { because: 'StoreAhead', generation: 1 },
  stored: 1,
  now: at(0),
});

/** What the ConfigMap says after one turn in which PostgreSQL does not answer. */
async function sayWhilePostgresIsDown(world: World): Promise<World> {
  const stop = new AbortController();
  const metadata = { namespace: 'n', name: WORLD };
  let live: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: dataOf(world) };
  const clock = fakeClock();
  const deps = {
    world: {
      now: () => worldOf(live),
      isCertain: () => false,
      becomes: () => undefined,
      read: async () => ({ live, world: worldOf(live) }),
      ref: { namespace: 'n', name: WORLD },
      informer: { cache: { list: () => [] } },
    },
    configMaps: {
      update: async (next: ConfigMap) => {
        live = next;
        return next;
      },
    },
    store: {
      restore: {
        world: () =>
          Promise.reject(new Problem('StoreUnavailable', 'The database does not answer.', { next: 'Wait.' })),
      },
    },
    clock: { ...clock, sleep: async () => stop.abort() },
    log: createLogger({ name: 'test', level: 'silent' }),
  };
  await keepWorld(deps as unknown as RestoreDeps, stop.signal); // all that such a turn asks for
  return worldOf(live);
}

test('while the resolution fails, the ConfigMap names what fails', async () => {
  expect((await sayWhilePostgresIsDown(resolving)).waitingFor).toBe(
    'what fails: The database does not answer.',
  );
});

test('where nothing is resolved, nothing is said', async () => {
  const normal: World = { ...FIRST_WORLD, generation: 1 };
  expect(await sayWhilePostgresIsDown(normal)).toEqual(normal);
});
