import { expect, test } from 'vitest';
import { isBehind } from './behind.ts';

async function ask(...found: readonly string[]): Promise<Readonly<{ answer: boolean; looks: number }>> {
  let looks = 0;
  const answer = await isBehind('100', {
    look: async () => found[Math.min(looks++, found.length - 1)] ?? '',
    clock: { sleep: async () => undefined },
  });
  return { answer, looks };
}

test.each([
  ['the same place', ['100'], { answer: false, looks: 1 }],
  ['a later place, with more digits', ['1000'], { answer: false, looks: 1 }],
  ['one older answer of a replica that lags', ['99', '101'], { answer: false, looks: 2 }],
  ['three of them', ['9', '98', '99', '100'], { answer: false, looks: 4 }],
  ['nothing but older answers', ['99'], { answer: true, looks: 4 }],
])('%s', async (_, found, expected) => {
  expect(await ask(...found)).toEqual(expected);
});

test('what a look throws is told, not taken for an older world', async () => {
  const look = () => Promise.reject(new Error('busy'));
  await expect(isBehind('100', { look, clock: { sleep: async () => undefined } })).rejects.toThrow('busy');
});
