/**
 * The small worlds. `SMALL` are explored to their ends in `npm test`; `LARGE` have more faults at once, or more
 * tries left, and belong to the sweep. One try left (`failures: 2`) is enough to expire, take over and give up.
 */
import type { Shape } from './shape.ts';

export type Scenario = Shape & Readonly<{ name: string; statesMax?: number }>;

const ready = { isReady: true, failures: 2 } as const;

export const SMALL: readonly Scenario[] = [
  {
    name: 'the main job, from the order on',
    isNew: true,
    operators: 2,
    failures: 2,
    budget: { operatorCrash: 1 },
  },
  { name: 'messages are lost, doubled, late; a facade lags', ...ready, budget: { network: 1, lag: 1 } },
  { name: 'cancelled or deleted at any moment', ...ready, budget: { wish: 1 } },
  { name: 'an agent crashes between any two steps', ...ready, budget: { agentCrash: 1, unlisted: 1 } },
  { name: 'another agent takes over', agents: 2, ...ready, budget: {} },
  { name: 'a deposed operator goes on', operators: 2, ...ready, budget: { operatorCrash: 1 } },
  {
    name: 'the provisioner fails, or has no room',
    isReady: true,
    failures: 1,
    budget: { failure: 1, noRoom: 1 },
  },
  { name: 'a clone with the same key', ...ready, clone: true, shared: true, budget: { clone: 1 } },
  {
    name: 'an agent is revoked, another inherits',
    agents: 2,
    ...ready,
    shared: true,
    budget: { revoke: 1, inventory: 1 },
  },
  { name: 'hours go by', ...ready, budget: { wish: 1, longWait: 1 } },
  { name: 'two contracts', contracts: 2, ...ready, budget: {} },
];

export const LARGE: readonly Scenario[] = [{ name: 'three tries', agents: 2, isReady: true, budget: {} }];
