/**
 * B4: a poll for work in markets of several sizes, against a route of the same facade that only authenticates. Seven
 * in ten contracts are Active, two wait. `idle`: agents of a pool for which nothing waits. `full`: agents of the pool
 * for which all of them wait, each of which has as much as it may have. Polls answer at once: waiting costs nothing.
 */
import { Pool } from 'undici';
import type { Agent } from '../crds/agent.ts';
import type { AgentPool } from '../crds/agent-pool.ts';
import { freePort } from '../dev/processes/ports.ts';
import { systemClock } from '../lib/clock.ts';
import { generateKeyPair } from '../lib/signature/keys.ts';
import { eventually } from '../test/world/eventually.ts';
import { createCallers, type Facade } from '../test/world/facades.ts';
import { fastSigner } from '../test/world/fast-signer.ts';
import { POOL, resourceOf, type Stage, setStage } from '../test/world/market.ts';
import { heartbeat, makeOffering } from './actors.ts';
import { openEmptyHouse, populate } from './crowd.ts';
import type { Benchmark, House } from './house.ts';
import { cpuMsOf } from './machine.ts';
import { interleave, median, ratioOf, share, timed } from './measure.ts';
import { type Row, showRate } from './report.ts';

const NAMESPACE = 'b4';
const FAR_POOL = 'na-script';
const SIZES = [1_000, 10_000, 100_000];
const QUICK_SIZES = [1_000, 4_000];
/** No divisor in common with ten, in which the states of contracts repeat: each has some that are Active. */
const AGENTS = 49;
const IN_FLIGHT = 32;
const REQUESTS = 2000;
const GOAL = 0.9;

type Poller = Readonly<{ key: ReturnType<typeof generateKeyPair>; sign: ReturnType<typeof fastSigner> }>;
const poller = (key = generateKeyPair()): Poller => ({ key, sign: fastSigner(key) });

export const pollBench: Benchmark = {
  name: 'B4',
  run: async (house, { quick }) => {
    const [rounds, count, sizes] = quick ? [3, 500, QUICK_SIZES] : [5, REQUESTS, SIZES];
    const own = await openEmptyHouse(house);
    await own.makeNamespace(NAMESPACE);
    const stage = await setStage(own.client, NAMESPACE);
    await makeOffering(own.client, NAMESPACE);
    const full = Array.from({ length: AGENTS }, () => poller());
    const idle = Array.from({ length: AGENTS }, () => poller());
    const agents = await stage.addAgents(full.map(({ key }) => key));
    await addFarPool(own, idle);
    await limitInstances(own);
    const rows: Row[] = [];
    let from = 0;
    for (const size of sizes) {
      await populate(own, { stage, agents, from, to: size });
      from = size;
      const facade = await startMeasured(own);
      await introduce(own, { facade, stage, pollers: [...full, ...idle] });
      const measuring = { facade, providerKey: stage.provider.publicKey, rounds, count, size };
      for (const [who, pollers] of Object.entries({ idle, full }))
        rows.push(...(await measure({ ...measuring, who, pollers })));
      await facade.process.stop();
    }
    return rows;
  },
};

async function addFarPool({ client }: House, pollers: readonly Poller[]): Promise<void> {
  const make = (kind: string, name: string, spec: object): Promise<unknown> =>
    resourceOf<Agent>(client, kind).create({
      metadata: { name, namespace: NAMESPACE },
      spec,
    } as unknown as Agent); // of whichever kind; the API server fills in the defaults
  await make('AgentPool', FAR_POOL, { location: 'na', provisionerType: 'script' });
  for (const [index, { key }] of pollers.entries())
    await make('Agent', `far-${index}`, { publicKey: key.publicKey, poolName: FAR_POOL });
}

/** Each agent has more than that. */
async function limitInstances({ client }: House): Promise<void> {
  const pools = resourceOf<AgentPool>(client, 'AgentPool');
  const body = { spec: { placement: { instancesPerAgent: 1 } } };
  await pools.patch({ namespace: NAMESPACE, name: POOL }, { type: 'Merge', body });
}

async function startMeasured(house: House): Promise<Facade> {
  const port = await freePort();
  const process = await house.startNode(`b4-facade-${port}`, 'bench/baselines/only-authenticates.ts', {
    KUBECONFIG: house.kubeconfig,
    INSTALLATION_NAMESPACE: NAMESPACE,
    LOG_LEVEL: 'error',
    PORT: String(port),
  });
  const url = `http://127.0.0.1:${port}`;
  const look = async (): Promise<void> => {
    if (!(await fetch(`${url}/readyz`)).ok) throw new Error('the facade is not ready');
  };
  await eventually(look, { withinMs: 600_000 }); // a list of 100,000 on a busy machine
  return { url, process, logFile: process.logFile };
}

type Introducing = Readonly<{ facade: Facade; stage: Stage; pollers: readonly Poller[] }>;

/** First heartbeats: agents that are offline are answered even sooner. */
async function introduce(house: House, { facade, stage, pollers }: Introducing): Promise<void> {
  const callers = createCallers();
  for (const [index, { key }] of pollers.entries()) {
    const actor = { caller: callers.caller(key), session: `session-${index}`, incarnation: 1 };
    await eventually(() => heartbeat({ ...house, facade }, { stage, actor }));
  }
  await callers.close();
}

type Measuring = Readonly<{
  facade: Facade;
  providerKey: string;
  rounds: number;
  count: number;
  size: number;
  who: string;
  pollers: readonly Poller[];
}>;

async function measure({
  facade,
  providerKey,
  rounds,
  count,
  size,
  who,
  pollers,
}: Measuring): Promise<Row[]> {
  const pool = new Pool(facade.url, { connections: IN_FLIGHT });
  const base = `/api/v1/providers/${providerKey}`;
  const cpuUs = { poll: [] as number[], bare: [] as number[] };
  const rate = async (what: 'poll' | 'bare', path: string): Promise<number> => {
    const url = new URL(path, facade.url);
    const signed = Array.from({ length: count }, (_, index) => {
      const { sign } = pollers[index % pollers.length] ?? poller();
      return sign({ method: 'GET', url, now: systemClock.now() });
    });
    const each = async (headers: Record<string, string>): Promise<void> => {
      const response = await pool.request({ method: 'GET', path, headers });
      const text = await response.body.text();
      if (response.statusCode !== 200 || text !== '{"success":true,"data":[]}')
        throw new Error(`${path}: ${response.statusCode} ${text.slice(0, 500)}`);
    };
    const before = cpuMsOf(facade.process.pid);
    const ms = await timed(() => share(signed, { size: IN_FLIGHT, each }));
    cpuUs[what].push((1000 * (cpuMsOf(facade.process.pid) - before)) / count);
    return (1000 * count) / ms;
  };
  const rates = await interleave(rounds, {
    poll: () => rate('poll', `${base}/work?wait=0`),
    bare: () => rate('bare', `${base}/only-authenticates`),
  });
  await pool.close();
  for (const figures of Object.values(cpuUs)) figures.shift(); // of the warm-up
  const us = (figures: readonly number[]): string => `${median(figures).toFixed(0)} µs`;
  const ratio = ratioOf(rates.poll, rates.bare);
  const what = `${size} contracts: polls of agents that are ${who}, ${IN_FLIGHT} in flight, ${rounds} × ${count}`;
  return [
    {
      ...{ name: 'B4', what, ratio, goal: `≥ ${GOAL}`, reached: ratio.median >= GOAL },
      figure: `${showRate(median(rates.poll))}, ${us(cpuUs.poll)} of CPU each`,
      baseline: `only authenticates: ${showRate(median(rates.bare))}, ${us(cpuUs.bare)}`,
    },
  ];
}
