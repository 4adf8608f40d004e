import { describe, expect, test } from 'vitest';
import { aContract, aHolder, at } from './builders.ts';
import { resolveRestored } from './restore.ts';
import { aMachine, finished, someFacts, stored } from './restore-builders.ts';
import type { RestoredFacts } from './restore-facts.ts';

describe('whom etcd has as a holder', () => {
  const many = (count: number) => Array.from({ length: count }, (_, n) => aHolder(n + 10, 1));
  const resolve = (count: number) =>
    resolveRestored(
      aContract('Accepted', { epoch: 2, holders: many(count) }),
      someFacts({ listed: [...Array.from({ length: 40 }, (_, n) => aMachine(n + 50, 1)), finished(1, 3)] }),
    );

  test('stays, however many are listed; the agent of its machine gets the last place', () => {
    const holders = resolve(30).at(-1)?.holders ?? [];
    expect(holders).toEqual(expect.arrayContaining([...many(30), aHolder(1, 3)]));
    expect(holders).toHaveLength(32);
  });

  test('stays also where there is no place at all: then the contract is left as it is', () => {
    expect(resolve(32)).toEqual([]);
  });
});

describe('how the tenant reaches it', () => {
  const resolved = (facts: Partial<RestoredFacts>, contract = aContract('Accepted')) =>
    resolveRestored(contract, someFacts(facts)).at(-1);

  test('as the agent reported it once', () => {
    expect(resolved({ listed: [finished(1, 1)] })).toMatchObject({
      endpoint: '198.51.100.7:22',
      access: { host: '198.51.100.7', verifiedAt: at(9).toISOString() },
    });
  });

  test('as PostgreSQL has it, when the agent does not remember', () => {
    const access = { host: '2001:db8::7', port: 2222 };
    expect(resolved({ inStore: { ...stored(1, 1), access }, listed: [aMachine(1, 1)] })).toMatchObject({
      endpoint: '[2001:db8::7]:2222',
      access: { ...access, verifiedAt: at(20).toISOString() },
      startsAt: at(20).toISOString(),
    });
  });

  test('what was seen reachable once is not lost because nobody knows its address', () => {
    expect(resolved({ inStore: stored(1, 1), listed: [aMachine(1, 1)] })).toMatchObject({
      access: { verifiedAt: at(20).toISOString() },
    });
  });
});
