/**
 * Never an instance more than there is room for, never a lock more that lasts, whatever the facades know of each
 * other; and who waits says why, and starts when room is made.
 */
import { expect, inject } from 'vitest';
import { isTrue } from '../../../crds/condition.ts';
import { anOffering } from '../../../crds/contract/builders.ts';
import type { Contract } from '../../../crds/contract/contract.ts';
import type { Offering } from '../../../crds/offering.ts';
import { createKubeClient } from '../../../kube/client.ts';
import { systemClock } from '../../../lib/clock.ts';
import { inNamespace } from '../../world/cluster.ts';
import { eventually } from '../../world/eventually.ts';
import { createCallers } from '../../world/facades.ts';
import { resourceOf, type Stage, setStage } from '../../world/market.ts';
import type { Ground } from './ground.ts';
import { type Knows, openHost } from './host.ts';
import { expectAllSayWhy, expectNamesMachine } from './waiting.ts';

const OFFERING = 'hello';
const ROOM = 10;
const CONTRACTS = 40;
/** What two facades grant within the time that a watch takes is given back as soon as the agent sees it. */
const LASTS_MS = 3_000;
const SAMPLE_MS = 100;

type Play = Readonly<{ rounds: number; knows: Knows }>;

export async function playRounds(ground: Ground, { rounds, knows }: Play): Promise<void> {
  const client = createKubeClient({ kubeconfig: { file: inject('kubeconfig') } });
  const namespace = await inNamespace('capacity');
  const stage = await setStage(client, namespace);
  await resourceOf<Offering>(client, 'Offering').create({
    ...anOffering(),
    metadata: { name: OFFERING, namespace },
  });
  const callers = createCallers();
  const agent = callers.caller();
  const provider = callers.caller(stage.provider);
  const [object] = await stage.addAgents([agent.key]);
  const stopOperator = ground.operate(namespace);
  const over = new AbortController();
  const watched = watchLocks(stage, over.signal);
  const host = await openHost({
    ...{ providerKey: stage.provider.publicKey, key: agent.key, agentUid: object?.metadata.uid ?? '' },
    ...{ facadeUrls: ground.facades.map(({ url }) => url), room: ROOM, knows },
  });
  try {
    await eventually(() => expectHostKnown(stage, knows), { withinMs: 15_000 });
    let live: readonly Contract[] = [];
    const asking = { stage, caller: provider, facades: ground.facades, knows };
    for (let round = 0; round < rounds; round++) {
      live = [...live, ...(await order(stage, CONTRACTS - live.length, `round-${round}`))];
      const held = await eventually(() => expectFull(stage, live), { withinMs: 30_000 });
      const waiting = live.filter(({ metadata }) => !held.has(metadata.uid ?? ''));
      expect(waiting).toHaveLength(CONTRACTS - ROOM);
      await eventually(() => expectAllSayWhy({ ...asking, waiting }), { withinMs: 15_000 });
      if (knows !== 'Sums') await expectNamesMachine(ROOM, { ...asking, waiting });
      const ending = [...held].slice(0, round % 2 === 0 ? 3 : ROOM);
      await Promise.all(ending.map((uid) => cancel(stage, live, uid)));
      live = live.filter(({ metadata }) => !ending.includes(metadata.uid ?? ''));
      const after = await eventually(() => expectFull(stage, live), { withinMs: 30_000 });
      // As many others have started as there was room made, and each of them had waited.
      expect([...after].filter((uid) => !held.has(uid))).toHaveLength(ending.length);
      expect(host.most()).toBe(ROOM);
    }
    if (knows === 'Sums') expect(host.refused()).toBe(0);
    over.abort();
    expect(await watched).toBeLessThan(LASTS_MS);
  } finally {
    over.abort();
    await host.close();
    stopOperator();
    await callers.close();
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

/** Operator and facades know that it is online, and how large it says it is. */
async function expectHostKnown({ agents, namespace }: Stage, knows: Knows): Promise<void> {
  const { items } = await agents.list({ namespace });
  const status = items[0]?.status;
  expect(isTrue(status?.conditions, 'Online')).toBe(true);
  expect(status?.resources?.cpu).toBe(knows === 'Sums' ? undefined : String(ROOM));
}

/** UIDs of the contracts that have a machine. */
async function expectFull({ contracts, namespace }: Stage, live: readonly Contract[]): Promise<Set<string>> {
  const { items } = await contracts.list({ namespace });
  const uids = new Set(live.map(({ metadata }) => metadata.uid));
  const built = items.filter(
    ({ metadata, status }) =>
      uids.has(metadata.uid) && (status?.phase === 'Provisioned' || status?.phase === 'Active'),
  );
  expect(built).toHaveLength(ROOM);
  expect(items.flatMap(({ status }) => status?.holders ?? [])).toHaveLength(ROOM);
  return new Set(built.map(({ metadata }) => metadata.uid ?? ''));
}

/** As people order by YAML; the operator accepts what it sees. */
const order = (
  { contracts, namespace, provider }: Stage,
  count: number,
  prefix: string,
): Promise<Contract[]> =>
  Promise.all(
    Array.from(
      { length: count },
      (_, index) =>
        contracts.create({
          metadata: { name: `${prefix}-${index}`, namespace },
          spec: {
            offering: { name: OFFERING },
            tenant: { publicKey: provider.publicKey },
            sshPublicKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA capacity'],
            durationHours: 24,
          },
        } as Contract), // the API server fills in what a person leaves out
    ),
  );

async function cancel({ contracts }: Stage, live: readonly Contract[], uid: string): Promise<void> {
  const named = live.find(({ metadata }) => metadata.uid === uid);
  if (!named) throw new Error('the contract is there');
  await contracts.patch(named.metadata, { type: 'Merge', body: { spec: { cancel: { requested: true } } } });
}
