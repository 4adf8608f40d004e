import { expect, test } from 'vitest';
import { at } from '../../crds/contract/builders.ts';
import { Problem } from '../../crds/problem.ts';
import { dataOf, FIRST_WORLD, raised, WORLD, type World, worldOf } from '../../crds/restore/world.ts';
import type { ConfigMap } from '../../kube/config-map.ts';
import { fakeClock } from '../../lib/fake-clock.ts';
import { createLogger } from '../../lib/log.ts';
import type { RestoreDeps } from './deps.ts';
import { firstLook, keepWorld } from './keeper.ts';

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

/** Why the generation was raised when PostgreSQL had seen version 100, and the API server answered these. */
async function compareWith(...found: readonly string[]): Promise<string | undefined> {
  const raisedBecause: string[] = [];
  const answers = [...found];
  const clock = {
    ...fakeClock(),
    sleep: async (ms: number) => (ms < 1000 ? undefined : new Promise(() => {})),
  };
  const deps = {
    world: {
      becomes: () => undefined,
      read: async () => ({ live: undefined, world: FIRST_WORLD }),
      raise: async ({ because }: { because: string }) => void raisedBecause.push(because),
    },
    store: { restore: { world: async () => ({ generation: 0, resourceVersion: '100' }) } },
    clients: { contracts: { list: async () => ({ resourceVersion: answers.shift() ?? found.at(-1) }) } },
    clock,
    log: createLogger({ name: 'test', level: 'silent' }),
  };
  await firstLook(deps as unknown as RestoreDeps, new AbortController().signal); // all that a look asks for
  return raisedBecause.join() || undefined;
}

test('one answer of a replica that lags is not taken for an older etcd', async () => {
  expect(await compareWith('99', '101')).toBeUndefined();
});

test('an API server that stays behind what PostgreSQL saw is an older etcd', async () => {
  expect(await compareWith('99')).toBe('VersionAhead');
});
