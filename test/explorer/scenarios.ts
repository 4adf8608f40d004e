/**
 * The small worlds. `SMALL` are explored in `npm test`, to their ends but where a most of states is named; `LARGE`
 * have more faults at once, or more tries left, and belong to the sweep. One try left (`failures: 2`) is enough to expire, take over and give up.
 */
import type { Shape } from './shape.ts';

export type Scenario = Shape & Readonly<{ name: string; statesMax?: number }>;

const last = { isReady: true, failures: 2 } as const;
const active = { ...last, isActive: true } as const;

/** The two largest of the small ones: LARGE has them whole. */
const CANCELLED: Scenario = {
  name: 'cancelled or deleted at any moment',
  isReady: true,
  failures: 1,
  budget: { wish: 1 },
};
const DRAINED: Scenario = { name: 'drained, and there is no other agent', ...last, budget: { drain: 1 } };

export const SMALL: readonly Scenario[] = [
  { name: 'the main job, from the order on', isNew: true, budget: {} },
  { name: 'messages are lost, doubled, late; a facade lags', ...last, budget: { network: 1, lag: 1 } },
  { ...CANCELLED, statesMax: 55_000 },
  { name: 'an agent crashes between any two steps', ...last, budget: { agentCrash: 1, unlisted: 1 } },
  { name: 'another agent takes over', agents: 2, ...last, budget: {} },
  {
    name: 'who sits on it loses it to another agent',
    agents: 2,
    isReady: true,
    failures: 1,
    budget: { longWait: 1 },
    statesMax: 12_000,
  },
  { name: 'a deposed operator goes on', operators: 2, ...last, budget: { operatorCrash: 1 } },
  { name: 'the provisioner fails, or has no room', ...last, budget: { failure: 1, noRoom: 1 } },
  { name: 'a clone with the same key', ...last, clone: true, shared: true, budget: { clone: 1 } },
  {
    name: 'revoked, inherited, cancelled',
    ...active,
    agents: 2,
    shared: true,
    budget: { revoke: 1, inventory: 2, wish: 1 },
  },
  { ...DRAINED, statesMax: 55_000 },
  {
    name: 'drained: moved to another agent',
    ...active,
    agents: 2,
    budget: { drain: 1 },
    statesMax: 12_000, // a move gives it all of its tries back; LARGE goes further
  },
  { name: 'hours go by', ...last, budget: { longWait: 1 } },
  { name: 'hours go by while it runs', ...active, budget: { wish: 1, longWait: 2, agentCrash: 1 } },
];

/** Most are larger; `wander.ts` goes deeper. */
const MANY = 200_000;

export const LARGE: readonly Scenario[] = [
  CANCELLED,
  DRAINED,
  { name: 'three tries of two agents', agents: 2, isReady: true, budget: {}, statesMax: MANY },
  { name: 'two agents, messages lost', agents: 2, ...last, budget: { network: 1, lag: 1 }, statesMax: MANY },
  { name: 'two agents crash', agents: 2, ...last, budget: { agentCrash: 2, unlisted: 1 }, statesMax: MANY },
  {
    name: 'cancelled while messages are lost and an agent crashes',
    ...last,
    budget: { wish: 1, network: 1, agentCrash: 1, unlisted: 1 },
    statesMax: MANY,
  },
  {
    name: 'a deposed operator, and its replies are lost',
    operators: 2,
    ...last,
    budget: { operatorCrash: 1, network: 1, wish: 1 },
    statesMax: MANY,
  },
  {
    name: 'a clone, a crash, a cancel',
    ...last,
    clone: true,
    shared: true,
    budget: { clone: 1, agentCrash: 1, wish: 1 },
    statesMax: MANY,
  },
  {
    name: 'revoked while it builds',
    agents: 2,
    ...last,
    shared: true,
    budget: { revoke: 1, inventory: 2, wish: 1 },
    statesMax: MANY,
  },
  {
    name: 'drained while it builds, crashes and is cancelled',
    ...last,
    agents: 2,
    budget: { drain: 1, agentCrash: 1, network: 1, wish: 1, inventory: 1 },
    statesMax: MANY,
  },
  {
    name: 'drained while it runs, messages are lost, and an operator is deposed',
    ...active,
    agents: 2,
    operators: 2,
    budget: { drain: 1, agentCrash: 1, network: 1, wish: 1, inventory: 1 },
    statesMax: MANY,
  },
  {
    name: 'hours go by, and everybody crashes',
    ...active,
    operators: 2,
    budget: { wish: 1, longWait: 2, agentCrash: 1, operatorCrash: 1 },
    statesMax: MANY,
  },
  {
    name: 'hours go by while it is built',
    ...last,
    budget: { longWait: 2, agentCrash: 1, inventory: 1, wish: 1 },
    statesMax: MANY,
  },
  {
    name: 'the deadline is near',
    isReady: true,
    provisionBySeconds: 450,
    budget: { network: 1 },
    statesMax: MANY,
  },
  { name: 'three agents', agents: 3, ...last, budget: {}, statesMax: MANY },
  { name: 'two contracts', contracts: 2, ...last, budget: {}, statesMax: MANY },
];
