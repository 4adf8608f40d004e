import { expect, test } from 'vitest';
import { FIRST_MEMORY, remember } from './world.ts';

test('only what is higher is remembered, and a higher generation forgets the word of the one before', () => {
  const first = remember(FIRST_MEMORY, { generation: 0, heard: '0.9.a' });
  expect(first).toEqual({ generation: 0, heard: '0.9.a' });
  expect(remember(first, { generation: 0, heard: '0.10.b' })).toEqual({ generation: 0, heard: '0.10.b' });
  expect(remember(first, { generation: 0, heard: '0.9.c' })).toBe(first);
  expect(remember(first, {})).toBe(first);
  const second = remember(first, { generation: 1 });
  expect(second).toEqual({ generation: 1 });
  expect(remember(second, { generation: 1, heard: '1.3.d' })).toEqual({ generation: 1, heard: '1.3.d' });
});

test('a facade of an older world is not believed: the memory is the evidence', () => {
  const memory = { generation: 2, heard: '2.50.x' };
  expect(remember(memory, { generation: 1, heard: '1.70.y' })).toBe(memory);
});
