import { expect, test } from 'vitest';
import { aContract, aPool, at } from '../contract/builders.ts';
import { placeIn, someAgent } from './builders.ts';
import { explain } from './explain.ts';
import { providerView } from './views.ts';

test('a pool that is passed over as a whole is told with how many agents it has', () => {
  const pools = [aPool(), aPool('us', { location: 'na' }), aPool('empty', { location: 'na' })];
  const agents = [1, 2, 3].map((n) => someAgent(n, { pool: 'us', spec: { revoked: n === 3 } }));
  const placement = placeIn({ pools, agents }, aContract(), { now: at(0) });
  expect(placement.passedOver.map(({ pool, agents: count }) => [pool, count])).toEqual([
    ['europe-script', 0],
    ['us', 2],
    ['empty', 0],
  ]);
  expect(explain(placement).examples).toEqual([
    'us: in na, wanted is europe (with its 2 agents)',
    'europe-script: no agent has joined',
    'empty: in na, wanted is europe',
  ]);
  const view = providerView(placement, { waitingSinceMs: 0 });
  expect(view.passedOver[1]).toMatchObject({ pool: 'us', agent: null, agents: 2 });
});
