import { expect, test } from 'vitest';
import { NonceStore } from './nonces.ts';

const use = (store: NonceStore, nonce: string, nowMs: number, keyid = 'key-1') =>
  store.use({ keyid, nonce, nowMs });

test('a nonce is fresh once per key', () => {
  const store = new NonceStore();
  expect(use(store, 'n1', 0)).toBe('Fresh');
  expect(use(store, 'n1', 1)).toBe('Replayed');
  expect(use(store, 'n1', 2, 'key-2')).toBe('Fresh');
});

test('it is remembered for as long as a signature can count, whenever it came', () => {
  for (const firstMs of [0, 1, 119_999, 120_000, 239_999]) {
    const store = new NonceStore();
    use(store, 'opens the first generation', 0);
    use(store, 'n', firstMs);
    for (const laterMs of [1, 59_999, 119_999])
      expect(use(store, 'n', firstMs + laterMs), `${firstMs} + ${laterMs}`).toBe('Replayed');
  }
});

test('memory is bounded: when it is full new ones are refused, and old ones are still known', () => {
  const store = new NonceStore({ perGenerationMax: 100 });
  for (let i = 0; i < 100; i++) expect(use(store, `n${i}`, i)).toBe('Fresh');
  expect(use(store, 'one too many', 200)).toBe('Full');
  expect(use(store, 'n0', 201)).toBe('Replayed');
  expect(store.size).toBe(100);
  expect(use(store, 'one too many', 120_000)).toBe('Fresh');
  expect(use(store, 'n0', 120_001)).toBe('Replayed');
  expect(use(store, 'n1', 500_000)).toBe('Fresh');
  expect(store.size).toBe(1);
});
