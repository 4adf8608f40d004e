import { describe, expect, test } from 'vitest';
import { aContract, aHolder, at, uidOf } from '../contract/builders.ts';
import type { LiveContract } from '../contract/contract.ts';
import { firsts, placeIn, someAgent } from './builders.ts';

const wish = (group: string, mode: 'Required' | 'Preferred' = 'Required') => ({
  antiAffinity: { group, mode },
});
const asking = aContract('Accepted', {}, { spec: wish('web') });
const other = (
  spec: Partial<LiveContract['spec']>,
  status: Partial<LiveContract['status']> = {},
): LiveContract =>
  aContract('Active', { holders: [aHolder(1, 1)], ...status }, { metadata: { uid: uidOf(7) }, spec });

const cases: [string, LiveContract, string[]][] = [
  ['another contract of the group', other(wish('web')), ['node-2']],
  ['one that only prefers to be apart', other(wish('web', 'Preferred')), ['node-2']],
  [
    'one that is on its way out, while a machine may be there',
    other(wish('web'), { phase: 'Terminating' }),
    ['node-2'],
  ],
  ['one that has ended', other(wish('web'), { phase: 'Failed', holders: [] }), ['node-1', 'node-2']],
  ['one of another group', other(wish('db')), ['node-1', 'node-2']],
  ['one without a group', other({}), ['node-1', 'node-2']],
  [
    'one of another tenant',
    other({ ...wish('web'), tenant: { publicKey: '9'.repeat(64) } }),
    ['node-1', 'node-2'],
  ],
  [
    'the contract itself',
    { ...asking, status: { ...asking.status, holders: [aHolder(1, 1)] } },
    ['node-1', 'node-2'],
  ],
];
describe('apart from', () => {
  test.each(cases)('%s', (_name, sibling, want) => {
    const agents = [someAgent(1), someAgent(2)];
    const placement = placeIn({ agents }, asking, { now: at(0), siblings: [sibling] });
    expect(firsts(placement).sort()).toEqual(want);
  });
});
