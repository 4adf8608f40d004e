/** The end of the chain of checks: room, the tenant's wish, and at last the pool. The rest is in `checks.test.ts`. */
import { describe, expect, test } from 'vitest';
import { aContract, aHolder, aPool, at, someTerms, uidOf } from '../contract/builders.ts';
import type { LiveContract } from '../contract/contract.ts';
import type { TermsSnapshot } from '../contract/spec.ts';
import { crowded, loaded, placeIn, refusals, someAgent } from './builders.ts';

const wanting = (terms: Partial<TermsSnapshot>, more: Partial<LiveContract['spec']> = {}): LiveContract =>
  aContract('Accepted', {}, { spec: { termsSnapshot: someTerms(terms), ...more } });
const resources = { cpu: '4', memory: '8Gi', storage: '100Gi' };

type Case = {
  name: string;
  agent?: Parameters<typeof someAgent>[1];
  pool?: Parameters<typeof aPool>[1];
  contract?: LiveContract;
  siblings?: LiveContract[];
  want: string | undefined;
};
const cases: Case[] = [
  {
    name: 'no CPU free',
    agent: { facts: { load: loaded(32, { memory: '128Gi' }) } },
    want: 'InsufficientCPU',
  },
  {
    name: 'no memory free',
    agent: { facts: { load: loaded(1, { memory: '128Gi', storage: '1000Gi' }) } },
    want: 'InsufficientMemory',
  },
  {
    name: 'no disk free',
    agent: { facts: { load: loaded(1, { storage: '1000Gi' }) } },
    want: 'InsufficientStorage',
  },
  {
    name: 'no GPU free',
    contract: wanting({ resources: { ...resources, gpu: 1 } }),
    agent: {
      status: { resources: { gpu: 1 } },
      facts: { load: { ...crowded(1), used: { ...crowded(1).used, gpus: 1 } } },
    },
    want: 'InsufficientGPU',
  },
  {
    name: 'as many machines as it says',
    agent: { status: { resources: { instances: 3 } }, facts: { load: crowded(3) } },
    want: 'TooManyInstances',
  },
  {
    name: 'as many machines as its pool allows',
    pool: { placement: { strategy: 'Spread', instancesPerAgent: 2 } },
    agent: { status: { resources: { instances: 3 } }, facts: { load: crowded(2) } },
    want: 'TooManyInstances',
  },
  {
    name: 'as many locked and not built as any may have, though it says nothing of its size',
    agent: { status: { resources: undefined }, facts: { load: { ...crowded(8), building: 8 } } },
    want: 'TooManyBuilds',
  },
  {
    name: 'one less',
    agent: { status: { resources: undefined }, facts: { load: { ...crowded(40), building: 7 } } },
    want: undefined,
  },
  {
    name: 'as many as its pool allows',
    pool: { placement: { strategy: 'Spread', buildsPerAgent: 2 } },
    agent: { facts: { load: { ...crowded(2), building: 2 } } },
    want: 'TooManyBuilds',
  },
  {
    name: 'a person takes hours for each',
    contract: wanting({ provisionerType: 'manual' }),
    pool: { provisionerType: 'manual' },
    agent: { facts: { load: { ...crowded(63), building: 63 } } },
    want: undefined,
  },
  {
    name: 'exactly the room that is left',
    agent: { facts: { load: loaded(31, { memory: '127Gi', storage: '999Gi' }) } },
    want: undefined,
  },
  {
    name: 'CPU that is promised twice',
    pool: {
      placement: {
        strategy: 'Spread',
        overcommit: { cpuPercent: 200, memoryPercent: 100, storagePercent: 100 },
      },
    },
    agent: { facts: { load: loaded(63) } },
    want: undefined,
  },
  {
    name: 'CPU that is kept back',
    pool: {
      placement: {
        strategy: 'Spread',
        overcommit: { cpuPercent: 50, memoryPercent: 100, storagePercent: 100 },
      },
    },
    agent: { facts: { load: loaded(15.5) } },
    want: 'InsufficientCPU',
  },
  {
    name: 'an agent that says nothing of its size checks for itself',
    agent: { status: { resources: undefined }, facts: { load: loaded(999) } },
    want: undefined,
  },
  {
    name: 'no room but for what it holds of this contract',
    contract: aContract('Accepted', { holders: [aHolder(1, 1)], epoch: 1 }),
    agent: { facts: { load: loaded(32) } },
    want: undefined,
  },
  {
    name: 'another contract of the group is there',
    contract: wanting({}, { antiAffinity: { group: 'web', mode: 'Required' } }),
    siblings: [
      aContract(
        'Active',
        { holders: [aHolder(1, 1)] },
        { metadata: { uid: uidOf(7) }, spec: { antiAffinity: { group: 'web', mode: 'Preferred' } } },
      ),
    ],
    pool: { paused: true },
    want: 'AntiAffinity',
  },
  { name: 'its pool is paused', pool: { paused: true }, want: 'PoolPaused' },
];

describe('an agent is passed over for the first of these', () => {
  for (const { name, agent = {}, pool = {}, contract = aContract(), siblings = [], want } of cases)
    test(name, () => {
      const world = { pools: [aPool('europe-script', pool)], agents: [someAgent(1, agent)] };
      const found = refusals(placeIn(world, contract, { now: at(0), siblings }));
      expect(found).toEqual(want === undefined ? [] : [`node-1: ${want}`]);
    });
});
