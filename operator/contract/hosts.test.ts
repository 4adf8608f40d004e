import { expect, test } from 'vitest';
import { aContract, aLock, aPool, at, someTerms } from '../../crds/contract/builders.ts';
import type { AgentFacts } from '../../crds/placement/agent-facts.ts';
import { someAgent } from '../../crds/placement/builders.ts';
import { prepareSupply } from '../../crds/placement/supply.ts';
import { createCache } from '../../kube/cache.ts';
import type { Informers } from '../clients.ts';
import { held } from './builders.ts';
import { hostsOf } from './hosts.ts';
import type { MoveTurns } from './move-turns.ts';

const fails = (error: unknown): never => {
  throw error;
};
const contract = aContract('Provisioning', { ...held, lock: aLock(1) });
const byHand = aContract(
  'Provisioning',
  { ...held, lock: aLock(1) },
  { spec: { termsSnapshot: { ...someTerms(), provisionerTypes: ['manual'] } } },
);
const othersCanTry = (
  agents: readonly AgentFacts[],
  seconds = 1800,
  overdue = contract,
): boolean | undefined => {
  const supply = prepareSupply({ pools: [aPool()], agents });
  const caches = { agents: { cache: createCache({}, fails) }, contracts: { cache: createCache({}, fails) } };
  const deps = {
    informers: caches as unknown as Pick<Informers, 'agents' | 'contracts'>, // no more of them is used
    supply: { of: () => supply },
    turns: {} as MoveTurns, // nobody is drained
  };
  return hostsOf(deps, { contract: overdue, now: at(seconds) }).othersCanTry;
};

test('another agent could try what is held for too long, when it is there and could take it now', () => {
  const holder = someAgent(1);
  expect(othersCanTry([holder, someAgent(2)])).toBe(true);
  expect(othersCanTry([holder])).toBe(false);
  expect(othersCanTry([holder, someAgent(2, { facts: { presence: 'Offline' } })])).toBe(false);
  expect(othersCanTry([holder, someAgent(2, { spec: { cordoned: true } })])).toBe(false);
  expect(othersCanTry([holder, someAgent(2)], 1799)).toBeUndefined();
});

test('what a person builds is left to them while there is time', () =>
  expect(othersCanTry([someAgent(1), someAgent(2)], 1800, byHand)).toBe(false));
