/**
 * The leader's care for the world: PostgreSQL and the ConfigMap know the same generation, an older etcd is noticed
 * at the start, and a restore is resolved once the agents have listed. Beside the controllers, which rest meanwhile.
 */

import { dataOf, LET_GO, type World } from '../../crds/restore/world.ts';
import { isBehind } from '../../kube/behind.ts';
import { swapConfigMap } from '../../kube/config-map.ts';
import { counted } from '../../lib/counted.ts';
import type { RestoreDeps } from './deps.ts';
import { resolveOnce } from './resolve.ts';

const RESOLVING_MS = 1_000;
const NORMAL_MS = 10_000;
/** The first look may not keep the controllers from working while PostgreSQL is down. */
const FIRST_LOOK_MS = 3_000;
const EVENTS_MAX = 16;
const SAID_MAX = 500;

/** One look, before the first decision about a contract: at most 3 seconds, whatever is down. */
export async function firstLook(deps: RestoreDeps, signal: AbortSignal): Promise<void> {
  const { clock, log, world } = deps;
  world.becomes('Uncertain');
  const look = compare(deps, signal).catch((error: unknown) => {
    log.warn(
      { err: error },
      'not known whether an older etcd was put back: the database or the cluster is down',
    );
  });
  await Promise.race([look, clock.sleep(FIRST_LOOK_MS, { signal }).catch(() => undefined)]);
}

/** Until the signal is aborted. Never throws. */
export async function keepWorld(deps: RestoreDeps, signal: AbortSignal): Promise<void> {
  const { clock, world } = deps;
  let told: World | undefined;
  let waiting: Waiting | undefined;
  while (!signal.aborted) {
    try {
      await compare(deps, signal);
      const { generation } = world.now();
      if (waiting?.generation !== generation) waiting = { generation, sinceMs: clock.monotonicMs() };
      await turn(deps, { waitedMs: clock.monotonicMs() - waiting.sinceMs, signal });
    } catch (error) {
      waiting = undefined; // while PostgreSQL is down no agent can list
      if (!signal.aborted) await tellFailure(deps, { error, signal });
    }
    tell(deps, told);
    told = world.now();
    await clock
      .sleep(told.phase === 'Resolving' || !world.isCertain() ? RESOLVING_MS : NORMAL_MS, { signal })
      .catch(() => undefined);
  }
}

/** Nobody has to guess why the market rests: the error is the reason that it waits. */
async function tellFailure(
  deps: RestoreDeps,
  { error, signal }: Readonly<{ error: unknown; signal: AbortSignal }>,
): Promise<void> {
  const { world, log } = deps;
  const { phase, waitingFor: before } = world.now();
  if (phase === 'Normal') {
    log.info({ err: error }, 'the world could not be looked after this time');
    return;
  }
  log.error({ err: error }, 'the restore cannot be resolved at the moment');
  const said = error instanceof Error ? error.message : String(error);
  const waitingFor = `what fails: ${said.replaceAll(/\s+/g, ' ').slice(0, SAID_MAX)}`;
  if (waitingFor === before) return;
  await note(deps, { waitingFor, signal }).catch((refused: unknown) => {
    log.info({ err: refused }, 'nor can be said why');
  });
}

/** Since when PostgreSQL could take the listings of a generation. */
type Waiting = Readonly<{ generation: number; sinceMs: number }>;

type Turn = Readonly<{ waitedMs: number; signal: AbortSignal }>;

async function turn(deps: RestoreDeps, { waitedMs, signal }: Turn): Promise<void> {
  const { world, store } = deps;
  const now = world.now();
  if (now.phase === 'Normal') {
    await store.restore.saw({ generation: now.generation, resourceVersion: world.highest() });
    if (now.letGo.length > 0) await letGo(deps, signal);
    return;
  }
  const waitingFor = await resolveOnce(deps, { world: now, waitedMs, signal });
  if (waitingFor !== undefined && waitingFor !== now.waitingFor) await note(deps, { waitingFor, signal });
}

async function compare(deps: RestoreDeps, signal: AbortSignal): Promise<void> {
  await compareStores(deps, signal);
  if (!signal.aborted) deps.world.becomes('Certain');
}

/** Both stores know the same generation, or the lower one is the older world. */
async function compareStores(
  { world, store, clients, namespace, clock }: RestoreDeps,
  signal: AbortSignal,
): Promise<void> {
  const { world: now } = await world.read();
  const stored = await store.restore.world();
  if (stored.generation > now.generation) {
    await world.raise({ because: 'StoreAhead', generation: stored.generation });
    return;
  }
  if (stored.generation < now.generation) {
    await store.restore.raise(now.generation);
    return;
  }
  if (now.phase === 'Resolving' || stored.resourceVersion === '0') return;
  const look = async () =>
    (await clients.contracts.list({ namespace, limit: 1 }, { signal })).resourceVersion;
  if (await isBehind(stored.resourceVersion, { look, clock, signal }))
    await world.raise({ because: 'VersionAhead', generation: now.generation });
}

type Note = Readonly<{ waitingFor: string; signal: AbortSignal }>;

/** For people: `kubectl get configmap dcmarket-world -o yaml`. */
async function note({ world, configMaps, log }: RestoreDeps, { waitingFor, signal }: Note): Promise<void> {
  log.warn({ waitingFor }, 'the restore is not resolved yet');
  const { live, world: now } = await world.read();
  if (now.phase !== 'Resolving') return;
  await swapConfigMap(configMaps, { ref: world.ref, live, data: dataOf({ ...now, waitingFor }) }, { signal });
  await world.read();
}

/** A person decided that a machine of no contract may go: from now on it is an orphan like any other. */
async function letGo({ world, configMaps, store, log }: RestoreDeps, signal: AbortSignal): Promise<void> {
  const { live, world: now } = await world.read();
  const gone = now.unclaimed.filter(({ contractUID }) => now.letGo.includes(contractUID));
  for (const { contractUID } of gone) await store.restore.closeAll(contractUID, 'LetGo');
  const unclaimed = now.unclaimed.filter((entry) => !gone.includes(entry));
  const next = { ref: world.ref, live, data: dataOf({ ...now, unclaimed }), without: [LET_GO] };
  if (await swapConfigMap(configMaps, next, { signal }))
    log.warn(
      { contracts: gone.map(({ contractUID }) => contractUID) },
      'machines of no contract were let go',
    );
  await world.read();
}

/** Events on the ConfigMap, once for each change. */
function tell({ world, recorder }: RestoreDeps, before: World | undefined): void {
  const now = world.now();
  const [regarding] = world.informer.cache.list();
  if (!before || !regarding || (before.generation === now.generation && before.phase === now.phase)) return;
  if (now.phase === 'Resolving') {
    const note = `Generation ${now.generation}: an older etcd was put back (${now.because}); nothing is done until its agents have listed`;
    recorder.record({ regarding, type: 'Warning', reason: 'RestoreDetected', action: 'Resolving', note });
    return;
  }
  const note = `Generation ${now.generation} is resolved; ${counted(now.unclaimed.length, 'machine')} without a contract now`;
  recorder.record({ regarding, type: 'Normal', reason: 'RestoreResolved', action: 'Normal', note });
  for (const { contractUID, externalId, agentUID } of now.unclaimed.slice(0, EVENTS_MAX))
    recorder.record({
      regarding,
      type: 'Warning',
      reason: 'MachineUnclaimed',
      action: 'Keep',
      note: `${externalId} of agent ${agentUID} runs for contract ${contractUID}, which was made after the backup; a person decides`,
    });
}
