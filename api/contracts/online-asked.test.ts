/** Whoever lists contracts walks over no agents for those whose text says nothing of them. */
import { expect, test } from 'vitest';
import { aContract, NOON, someTerms } from '../../crds/contract/builders.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import { PHASES } from '../../crds/contract/phase.ts';
import { placeIn } from '../../crds/placement/builders.ts';
import { fakeClock } from '../../lib/fake-clock.ts';
import type { Deps } from '../deps.ts';
import { messageOf } from './present.ts';

function said(contract: Contract) {
  let asked = 0;
  const pools = {
    supplying: () => {
      asked++;
      return [];
    },
  };
  const placements = { of: () => placeIn({}, contract, { now: NOON, siblings: [] }) };
  const contracts = { placeInQueue: () => undefined };
  const agents = { inPool: () => [] };
  const providers = { byNamespace: () => [] };
  const caches = { pools, agents, contracts, providers };
  // no more of it is used
  const deps = { caches, placements, clock: fakeClock() } as unknown as Deps;
  return { message: messageOf(deps, contract), isAsked: asked > 0 };
}

test('agents are looked for only where the text counts them', () => {
  const asking = PHASES.filter((phase) => said(aContract(phase)).isAsked);
  expect(asking).toEqual(['Requested']);
  expect(said(aContract('Requested', { reason: 'OutOfStock' })).isAsked).toBe(false);
  const { status: _none, ...fresh } = aContract();
  expect(said(fresh)).toEqual({
    message: 'No machine in Europe is online right now. You are not charged while you wait.',
    isAsked: true,
  });
  const wide = { ...fresh, spec: { ...fresh.spec, termsSnapshot: someTerms({ regions: ['na'] }) } };
  expect(said(wide).message).toContain('No machine in Europe or North America is online right now.');
});
