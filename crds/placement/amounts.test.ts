import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { amountsOf, minus, NOTHING, numberOf, plus, show, showAll } from './amounts.ts';

const quantities: [string, number][] = [
  ['2', 2],
  ['500m', 0.5],
  ['0.25', 0.25],
  ['1k', 1000],
  ['4Gi', 4 * 2 ** 30],
  ['1.5Ti', 1.5 * 2 ** 40],
  ['10G', 1e10],
  ['1Pi', 2 ** 50],
  ['many', 0],
];
test.each(quantities)('%s is %d', (quantity, number) => expect(numberOf(quantity)).toBe(number));

test('a machine takes what it is sold with, and one slot', () =>
  expect(amountsOf({ cpu: '1500m', memory: '2Gi', storage: '40Gi', gpu: 1 })).toEqual({
    cpuMilli: 1500,
    memoryBytes: 2 ** 31,
    storageBytes: 40 * 2 ** 30,
    gpus: 1,
    instances: 1,
  }));

describe('for people', () => {
  test('whole and half CPUs, memory as Gi or Mi', () => {
    expect(show('cpuMilli', 16_000)).toBe('16 CPU');
    expect(show('cpuMilli', 500)).toBe('0.5 CPU');
    expect(show('memoryBytes', 512 * 2 ** 20)).toBe('512Mi memory');
    expect(show('instances', 1)).toBe('1 machine');
  });

  test('what is free is never told larger than it is', () => {
    expect(show('cpuMilli', 3_999)).toBe('3.9 CPU');
    expect(show('storageBytes', 200 * 2 ** 30 - 1)).toBe('199.9Gi disk');
  });

  test('all of it, without what is not asked for', () =>
    expect(showAll(amountsOf({ cpu: '16', memory: '64Gi', storage: '200Gi' }))).toBe(
      '16 CPU, 64Gi memory, 200Gi disk',
    ));
});

const sizes = fc
  .record({ cpu: fc.nat(64), memory: fc.nat(256), storage: fc.nat(4000), gpu: fc.nat(8) })
  .map(({ cpu, memory, storage, gpu }) =>
    amountsOf({ cpu: `${cpu}`, memory: `${memory}Gi`, storage: `${storage}Gi`, gpu }),
  );
test('sums come back to where they were, in any order', () =>
  fc.assert(
    fc.property(fc.array(sizes, { maxLength: 20 }), (list) => {
      const sum = list.reduce(plus, NOTHING);
      expect(list.toReversed().reduce(plus, NOTHING)).toEqual(sum);
      expect(list.reduce(minus, sum)).toEqual(NOTHING);
    }),
  ));
