import { expect, test } from 'vitest';
import { uidOf } from '../contract/builders.ts';
import { hashOf, pairOf } from './rendezvous.ts';

const AGENTS = Array.from({ length: 10 }, (_, n) => hashOf(uidOf(n)));
const winner = (contract: number, agents: readonly number[]): number =>
  agents.reduce((best, agent) => (pairOf(contract, agent) > pairOf(contract, best) ? agent : best));

test('equal agents share the contracts among them', () => {
  const counts = new Map<number, number>();
  for (let n = 0; n < 10_000; n++) {
    const won = winner(hashOf(uidOf(10_000 + n)), AGENTS);
    counts.set(won, (counts.get(won) ?? 0) + 1);
  }
  expect(counts.size).toBe(AGENTS.length);
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
});

test('an agent that goes moves only its own share', () => {
  const [gone, ...others] = AGENTS;
  for (let n = 0; n < 1000; n++) {
    const contract = hashOf(uidOf(20_000 + n));
    const before = winner(contract, AGENTS);
    if (before !== gone) expect(winner(contract, others)).toBe(before);
  }
});

test('is the same in every process: FNV-1a as others have it', () => {
  expect(hashOf('')).toBe(0x811c9dc5);
  expect(hashOf('a')).toBe(0xe40c292c);
  expect(hashOf('foobar')).toBe(0xbf9cf968);
});
