/**
 * B10: placing one contract over many agents in 50 pools, at 250, 500, 1000 and 2000 of them. Every pool serves, so
 * that each agent is judged; 70 % of them may take it, the others are full, cordoned, offline or failed lately.
 * Pools and agents are prepared once, as the facade keeps them: what that costs has rows of its own. The baseline
 * does the least that could be called placing: a filter by free CPU and a sort by it. Figures are CPU time of the
 * process, garbage collection included, which others on the machine disturb less than the time that passes.
 */
import type { Agent } from '../crds/agent.ts';
import type { AgentPool } from '../crds/agent-pool.ts';
import { aContract, aHolder, anAgent, aPool, at, NOON, someTerms, uidOf } from '../crds/contract/builders.ts';
import type { LiveContract } from '../crds/contract/contract.ts';
import type { AgentFacts } from '../crds/placement/agent-facts.ts';
import { explain } from '../crds/placement/explain.ts';
import { loadOf } from '../crds/placement/load.ts';
import { place, whyNot } from '../crds/placement/place.ts';
import { preparePool, prepareSupply, type Supply } from '../crds/placement/supply.ts';
import { systemClock } from '../lib/clock.ts';
import type { PureBenchmark } from './house.ts';
import { interleave, median, ratioOf } from './measure.ts';
import type { Row } from './report.ts';

const POOLS = 50;
const SIZES = [250, 500, 1000, 2000] as const;
const GOAL_US = 1000;
/** Four times the size: by so much more than four may the time grow. */
const GROWTH_MAX = 1.3;
const CONTRACTS_EACH = 20;

const TERMS = someTerms({ resources: { cpu: '4', memory: '8Gi', storage: '100Gi' } });
const CONTRACTS = Array.from({ length: 100 }, (_, n) =>
  aContract('Accepted', {}, { metadata: { uid: uidOf(900_000 + n) }, spec: { termsSnapshot: TERMS } }),
);

export const placeBench: PureBenchmark = {
  name: 'B10',
  run: async ({ quick }) => {
    const [rounds, times] = quick ? [3, 100] : [9, 200];
    const facts = { terms: TERMS, now: NOON };
    const markets = SIZES.map((size) => ({ size, ...openMarket(size) }));
    const repeat = (work: (contract: LiveContract) => unknown) => async (): Promise<number> => {
      const before = process.cpuUsage();
      for (let n = 0; n < times; n++) work(CONTRACTS[n % CONTRACTS.length] ?? aContract());
      const { user, system } = process.cpuUsage(before);
      return (user + system) / times;
    };
    const fastest = (supply: Supply) => async (): Promise<number> => {
      const took = Array.from({ length: times }, (_, n) => {
        const startedMs = systemClock.monotonicMs();
        place(CONTRACTS[n % CONTRACTS.length] ?? aContract(), { ...facts, supply });
        return 1000 * (systemClock.monotonicMs() - startedMs);
      });
      return Math.min(...took);
    };
    const subjects: Record<string, () => Promise<number>> = Object.fromEntries(
      markets.flatMap(({ size, supply }) => [
        [`place ${size}`, repeat((contract) => place(contract, { ...facts, supply }))],
        [`bare ${size}`, repeat(() => barelyPlace(supply))],
        [`fastest ${size}`, fastest(supply)],
      ]),
    );
    const large = markets[2];
    if (!large) throw new Error('there is no market of 1000 agents');
    const { supply, pools, agents } = large;
    const [first] = agents;
    const [firstPool] = pools;
    const ownAgents = agents.filter(({ agent }) => agent.spec.poolName === firstPool?.metadata.name);
    const huge = { ...TERMS, resources: { ...TERMS.resources, cpu: '999' } };
    const nobody = place(aContract(), { ...facts, terms: huge, supply });
    const agentUID = first?.agent.metadata.uid ?? '';
    const held = first ? contractsOf(first.agent) : [];
    const us: Us = await interleave<string>(rounds, {
      ...subjects,
      'why not one': repeat((contract) => whyNot(contract, { ...facts, supply, agentUID })),
      explain: repeat(() => explain(nobody)),
      'prepare all': repeat(() => prepareSupply({ pools, agents })),
      'prepare one': repeat(() => firstPool && preparePool(firstPool, ownAgents)),
      'load of one': repeat(() => first && loadOf(first.agent, held)),
    });
    const figure = (name: string): string => `${median(us[name] ?? []).toFixed(1)} µs`;
    const info = (what: string, name: string): Row => ({
      ...{ name: 'B10', what, figure: figure(name), baseline: 'none', goal: 'none' },
    });
    return [
      ...markets.map(({ size, candidates }) => ({
        name: 'B10',
        what: `place one contract over ${size} agents in ${POOLS} pools that all serve, ${candidates} may take it, ${rounds} × ${times}`,
        figure: `${figure(`place ${size}`)} (the fastest ${figure(`fastest ${size}`)})`,
        baseline: `filter and sort by free CPU alone: ${figure(`bare ${size}`)}`,
        ratio: ratioOf(us[`place ${size}`] ?? [], us[`bare ${size}`] ?? []),
        ...(size === 1000
          ? { goal: '≤ 1000 µs', reached: median(us[`place ${size}`] ?? []) <= GOAL_US }
          : { goal: 'none' }),
      })),
      growthRow(us, [250, 1000]),
      growthRow(us, [500, 2000]),
      info('may one agent take it, of 1000 (`whyNot`: what a poll and a claim ask first)', 'why not one'),
      info('explain a placement over 1000 agents that nobody may take', 'explain'),
      info('prepare 50 pools and 1000 agents, once', 'prepare all'),
      info('prepare one pool of 20 agents, when one of them changed', 'prepare one'),
      info(`the load of one agent from its ${CONTRACTS_EACH} contracts`, 'load of one'),
    ];
  },
};

/** Microseconds of each round. */
type Us = Readonly<Record<string, readonly number[]>>;

/** Of the fastest: what others do to the caches of the processor grows faster than the work itself. */
function growthRow(us: Us, [from, to]: readonly [number, number]): Row {
  const [small = [], big = []] = [us[`fastest ${from}`], us[`fastest ${to}`]];
  const ratio = ratioOf(big, small);
  return {
    name: 'B10',
    what: `growth from ${from} to ${to} agents: the fastest placement of each round`,
    figure: `${median(big).toFixed(1)} µs`,
    baseline: `${from} agents: ${median(small).toFixed(1)} µs`,
    ratio,
    goal: `≤ ${4 * GROWTH_MAX} (linear: 4)`,
    reached: ratio.median <= 4 * GROWTH_MAX,
  };
}

type Market = Readonly<{
  pools: readonly AgentPool[];
  agents: readonly AgentFacts[];
  supply: Supply;
  candidates: number;
}>;

function openMarket(size: number): Market {
  const pools = Array.from({ length: POOLS }, (_, n) =>
    aPool(`pool-${n}`, {
      priority: n % 3,
      placement: {
        strategy: n % 2 === 0 ? 'Spread' : 'Pack',
        overcommit: { cpuPercent: 200, memoryPercent: 100, storagePercent: 100 },
      },
      fallbackPools: [{ name: `pool-${(n + 1) % POOLS}`, afterSeconds: 0 }],
    }),
  );
  const agents = Array.from({ length: size }, (_, n) => someAgent(n));
  const supply = prepareSupply({ pools, agents });
  const { candidates } = place(aContract(), { terms: TERMS, now: NOON, supply });
  return { pools, agents, supply, candidates: candidates.length };
}

/** Of ten agents seven are well, by different loads; one each is full, cordoned, and offline after failures. */
function someAgent(n: number): AgentFacts {
  const kind = n % 10;
  const base = anAgent(n, { poolName: `pool-${n % POOLS}`, cordoned: kind === 8 });
  const agent: Agent = {
    ...base,
    status: {
      version: '1.0.0',
      provisionerType: 'script',
      resources: { cpu: '64', memory: kind === 7 ? '160Gi' : '512Gi', storage: '4000Gi' },
      capabilities: ['kvm', 'ipv6'],
    },
  };
  const failures = kind % 3 === 0 ? [{ contractUID: uidOf(n), at: at(-60 - n).toISOString() }] : [];
  return {
    agent,
    presence: kind === 9 ? 'Offline' : 'Online',
    load: loadOf(agent, contractsOf(agent)),
    health: { failures },
  };
}

/** Twenty machines of 4 CPU, as an agent of a provider that does well holds them. */
const contractsOf = ({ metadata }: Agent): LiveContract[] =>
  Array.from({ length: CONTRACTS_EACH }, (_, n) =>
    aContract(
      'Active',
      { holders: [{ ...aHolder(1, 1), agentUID: metadata.uid ?? '' }] },
      { metadata: { uid: uidOf(100_000 + n) }, spec: { termsSnapshot: TERMS } },
    ),
  );

function barelyPlace({ pools }: Supply): unknown {
  const free = (pools.get('acme') ?? []).flatMap((pool) =>
    pool.agents.flatMap(({ uid, capacity, load }) => {
      const cpu = capacity.cpuMilli - load.used.cpuMilli;
      return cpu >= 4000 ? [{ uid, cpu }] : [];
    }),
  );
  return free.sort((a, b) => b.cpu - a.cpu);
}
