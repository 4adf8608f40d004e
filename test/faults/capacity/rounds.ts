/**
 * Never an instance more than there is room for, never a lock more that lasts, whatever the facades know of each
 * other; and who waits says why, and starts when room is made.
 */
import { expect, inject } from 'vitest';
import type { Contract } from '../../../crds/contract/contract.ts';
import { isLive } from '../../../crds/contract/contract.ts';
import { terminate } from '../../../crds/contract/steps.ts';
import { createKubeClient } from '../../../kube/client.ts';
import { isConflict } from '../../../kube/error.ts';
import { systemClock } from '../../../lib/clock.ts';
import { createDatabase, inNamespace } from '../../world/cluster.ts';
import { eventually } from '../../world/eventually.ts';
import { type Caller, createCallers, startFacades } from '../../world/facades.ts';
import { idOf, type Stage, setStage } from '../../world/market.ts';
import { type Knows, openHost } from './host.ts';

const ROOM = 10;
const CONTRACTS = 40;
/** What two facades grant within the time that a watch takes is given back as soon as the agent sees it. */
const LASTS_MS = 3_000;
const SAMPLE_MS = 100;

export async function playRounds(rounds: number, knows: Knows): Promise<void> {
  const client = createKubeClient({ kubeconfig: { file: inject('kubeconfig') } });
  const database = await createDatabase();
  const namespace = await inNamespace('capacity');
  const stage = await setStage(client, namespace);
  const callers = createCallers();
  const agent = callers.caller();
  const provider = callers.caller(stage.provider);
  const [object] = await stage.addAgents([agent.key]);
  const facades = await startFacades(2, {
    kubeconfig: inject('kubeconfig'),
    databaseUrl: database.url,
    namespace,
  });
  const over = new AbortController();
  const watched = watchLocks(stage, over.signal);
  const host = await openHost({
    ...{ providerKey: stage.provider.publicKey, key: agent.key, agentUid: object?.metadata.uid ?? '' },
    ...{ facadeUrls: facades.all.map(({ url }) => url), room: ROOM, knows },
  });
  try {
    if (knows !== 'Sums') await eventually(() => expectRoomKnown(stage), { withinMs: 15_000 });
    let live: readonly Contract[] = [];
    for (let round = 0; round < rounds; round++) {
      live = [...live, ...(await stage.addWaiting(CONTRACTS - live.length, `round-${round}`))];
      const held = await eventually(() => expectFull(stage, live), { withinMs: 30_000 });
      const waiting = live.filter(({ metadata }) => !held.has(metadata.uid ?? ''));
      expect(waiting).toHaveLength(CONTRACTS - ROOM);
      for (const { url, ...facade } of knows === 'Sums' ? [] : facades.all)
        for (const contract of round === 0 ? waiting : waiting.slice(0, 2))
          await eventually(() => expectSaysWhy(provider, { facade: { ...facade, url }, contract }));
      const ending = [...held].slice(0, round % 2 === 0 ? 3 : ROOM);
      await Promise.all(ending.map((uid) => endContract(stage, live, uid)));
      live = live.filter(({ metadata }) => !ending.includes(metadata.uid ?? ''));
      await eventually(() => expectFull(stage, live), { withinMs: 30_000 }); // as many others have started
      expect(host.most()).toBe(ROOM);
    }
    if (knows === 'Sums') expect(host.refused()).toBe(0);
    over.abort();
    expect(await watched).toBeLessThan(LASTS_MS);
  } finally {
    over.abort();
    await host.close();
    await callers.close();
    await facades.close();
    await database.drop();
    await client.close();
  }
}

/** How long there were more holders than there is room for, at a stretch. Milliseconds. */
async function watchLocks({ contracts, namespace }: Stage, signal: AbortSignal): Promise<number> {
  let longestMs = 0;
  let sinceMs: number | undefined;
  while (!signal.aborted) {
    const { items } = await contracts.list({ namespace });
    const holders = items.flatMap(({ status }) => status?.holders ?? []).length;
    const nowMs = systemClock.monotonicMs();
    if (holders <= ROOM) sinceMs = undefined;
    else {
      sinceMs ??= nowMs;
      longestMs = Math.max(longestMs, nowMs - sinceMs);
    }
    await systemClock.sleep(SAMPLE_MS, { signal }).catch(() => undefined);
  }
  return longestMs;
}

async function expectRoomKnown({ agents, namespace }: Stage): Promise<void> {
  const { items } = await agents.list({ namespace });
  expect(items[0]?.status?.resources?.cpu).toBe(String(ROOM));
}

/** UIDs of the contracts that have a machine. */
async function expectFull({ contracts, namespace }: Stage, live: readonly Contract[]): Promise<Set<string>> {
  const { items } = await contracts.list({ namespace });
  const uids = new Set(live.map(({ metadata }) => metadata.uid));
  const built = items.filter(
    ({ metadata, status }) => uids.has(metadata.uid) && status?.phase === 'Provisioned',
  );
  expect(built).toHaveLength(ROOM);
  expect(items.flatMap(({ status }) => status?.holders ?? [])).toHaveLength(ROOM);
  return new Set(built.map(({ metadata }) => metadata.uid ?? ''));
}

type Asking = Readonly<{ facade: Parameters<Caller['call']>[0]; contract: Contract }>;

async function expectSaysWhy(provider: Caller, { facade, contract }: Asking): Promise<void> {
  const path = `/api/v1/contracts/${idOf(contract)}`;
  const { body } = await provider.call(facade, { method: 'GET', path });
  expect(body).toMatchObject({
    data: {
      phase: 'Accepted',
      message: expect.stringContaining('No machine with 1 CPU'),
      waiting: { reason: 'NoCapacity' },
      detail: {
        placement: {
          passedOver: [{ reason: 'InsufficientCPU', message: `full: 0 CPU free of ${ROOM} CPU` }],
        },
      },
    },
  });
}

/** As the operator does when the tenant cancels. */
async function endContract(stage: Stage, live: readonly Contract[], uid: string): Promise<void> {
  const named = live.find(({ metadata }) => metadata.uid === uid);
  for (;;) {
    const contract = named && (await stage.contracts.get(named.metadata));
    if (!contract || !isLive(contract)) throw new Error('the contract is there');
    const said = { reason: 'CancelRequested', message: 'cancelled', now: systemClock.now() };
    try {
      await stage.contracts.updateStatus({ ...contract, status: terminate(contract.status, said) });
      return;
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }
}
