/**
 * B9: how often the main job writes. Tenants rent, agents claim and report a machine with its SSH banner read; what
 * reached the API server is counted by watches, Events after the operator has written all it had queued.
 */
import type { Contract } from '../crds/contract/contract.ts';
import { EVENTS } from '../kube/events.ts';
import type { KubeObject } from '../kube/object.ts';
import { systemClock } from '../lib/clock.ts';
import { eventually } from '../test/world/eventually.ts';
import { resourceOf } from '../test/world/market.ts';
import { makeOffering, openStage, rent } from './actors.ts';
import type { Benchmark } from './house.ts';
import { median } from './measure.ts';
import type { Row } from './report.ts';
import { keepAlive, reportBuilt, runStandIn } from './stand-in.ts';
import { mostWithin, type Write, watchWrites } from './write-watch.ts';

const AGENTS = 4;
const CONTRACTS = 20;
const CONTRACT_WRITES_MAX = 6;
const EVENTS_MAX = 4;
const WINDOW_MS = 10_000;
const LEASES = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
};

type KubeEvent = KubeObject & Readonly<{ regarding?: Readonly<{ uid?: string }> }>;

export const writeBudgetBench: Benchmark = {
  name: 'B9',
  run: async (house, { quick }) => {
    const lastsMs = quick ? 30_000 : 75_000;
    const namespace = 'b9';
    const { client } = house;
    const operator = await house.startOperator();
    const stage = await openStage(house, { namespace, agents: AGENTS });
    const offering = await makeOffering(client, namespace);
    const over = new AbortController();
    const agents = stage.actors.flatMap((actor) => [
      runStandIn(
        house,
        { stage, actor, onLocked: (granted) => reportBuilt(house, { stage, actor, ...granted }) },
        over.signal,
      ),
      keepAlive(house, { stage, actor }, over.signal),
    ]);
    const failed = new Promise<never>((_, reject) => Promise.all(agents).catch(reject));
    failed.catch(() => undefined);
    const tenant = house.callers.caller();
    await eventually(() => rent(house, tenant, offering), { withinMs: 30_000 }); // warm: not counted below
    await systemClock.sleep(WINDOW_MS);

    const watches = {
      contracts: await watchWrites(stage.contracts, namespace),
      events: await watchWrites(client.resource<KubeEvent>(EVENTS), namespace),
      leases: await watchWrites(client.resource<KubeObject>(LEASES), namespace),
      agents: await watchWrites(stage.agents, namespace),
      pools: await watchWrites(resourceOf<KubeObject>(client, 'AgentPool'), namespace),
    };
    const untilMs = systemClock.monotonicMs() + lastsMs;
    for (let n = 0; n < CONTRACTS; n++) await Promise.race([rent(house, tenant, offering), failed]);
    await eventually(async () => expectActive(watches.contracts.writes), { withinMs: 30_000 });
    await Promise.race([systemClock.sleep(untilMs - systemClock.monotonicMs()), failed]);
    over.abort();
    await operator.stop();
    for (const watch of Object.values(watches)) await watch.stop();
    return rowsOf({
      seconds: lastsMs / 1000,
      contracts: watches.contracts.writes,
      events: watches.events.writes,
      others: { Lease: watches.leases.writes, Agent: watches.agents.writes, AgentPool: watches.pools.writes },
    });
  },
};

function expectActive(writes: readonly Write<Contract>[]): void {
  const active = new Set(
    writes.filter(({ object }) => object.status?.phase === 'Active').map(({ object }) => object.metadata.uid),
  );
  if (active.size < CONTRACTS) throw new Error(`only ${active.size} of ${CONTRACTS} contracts are Active`);
}

type Counted = Readonly<{
  seconds: number;
  contracts: readonly Write<Contract>[];
  events: readonly Write<KubeEvent>[];
  others: Readonly<Record<string, readonly Write<KubeObject>[]>>;
}>;

function rowsOf({ seconds, contracts, events, others }: Counted): Row[] {
  const made = contracts.filter(({ isCreation }) => isCreation).map(({ object }) => object.metadata.uid);
  const untilActive = made.map((uid) => {
    const own = contracts.filter(({ object }) => object.metadata.uid === uid);
    return own.findIndex(({ object }) => object.status?.phase === 'Active') + 1;
  });
  const inAll = made.map((uid) => contracts.filter(({ object }) => object.metadata.uid === uid).length);
  const eventsOf = made.map((uid) => events.filter(({ object }) => object.regarding?.uid === uid).length);
  const show = (counts: readonly number[]): string => `median ${median(counts)}, most ${Math.max(...counts)}`;
  const row = (what: string, counts: { figure: string; most: number }, max: number): Row => ({
    name: 'B9',
    what,
    figure: counts.figure,
    baseline: 'none: an absolute budget',
    goal: `≤ ${max}`,
    reached: counts.most <= max,
  });
  return [
    row(
      `writes to a Contract until Active, its creation included, ${made.length} contracts`,
      { figure: `${show(untilActive)} (${seconds} s later: ${show(inAll)})`, most: Math.max(...untilActive) },
      CONTRACT_WRITES_MAX,
    ),
    row(
      'writes of Events about a contract, drained',
      { figure: show(eventsOf), most: Math.max(...eventsOf) },
      EVENTS_MAX,
    ),
    ...Object.entries(others).map(([kind, writes]) => {
      const most = mostWithin(writes, WINDOW_MS);
      const figure = `${most} (${writes.length} in all in ${seconds} s, ${AGENTS} agents)`;
      return row(`most writes to one ${kind} within ${WINDOW_MS / 1000} s`, { figure, most }, 1);
    }),
  ];
}
