import { expect, test } from 'vitest';
import { fakeClock } from '../../lib/fake-clock.ts';
import { aMachine } from '../testing/builders.ts';
import { createStanding } from './standing.ts';

const machine = (n: number) => aMachine(1, { contractId: `c${n}`, externalId: `dc-c${n}` });

test('a listing that ends late hides nothing that was built meanwhile, and undoes no newer one', async () => {
  const clock = fakeClock();
  const standing = createStanding(clock);
  const names = () => standing.listed().map(({ contractId }) => contractId);
  const begin = async (): Promise<number> => {
    await clock.advance(1);
    return clock.monotonicMs();
  };
  expect(standing.isKnown()).toBe(false);
  const first = await begin();
  await clock.advance(1);
  standing.noteBuilt(machine(1));
  const second = await begin();
  standing.noteListing([machine(1), machine(2)], second);
  standing.noteListing([], first);
  expect(names()).toEqual(['c1', 'c2']);
  const third = await begin();
  await clock.advance(1);
  standing.noteBuilt(machine(3));
  standing.noteListing([machine(2)], third);
  expect(names()).toEqual(['c2', 'c3']);
  standing.noteListing([], await begin());
  expect(names()).toEqual([]);
});
