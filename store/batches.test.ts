import { expect, test } from 'vitest';
import { createBatches } from './batches.ts';

class Down extends Error {}

/** Remembers each statement, and answers it when the test lets it. */
function setUp(refuse: (items: readonly string[]) => Error | undefined = () => undefined) {
  const statements: string[][] = [];
  const answers: (() => void)[] = [];
  const put = createBatches<string>({
    write: (items) =>
      new Promise((resolve, reject) => {
        statements.push([...items]);
        const error = refuse(items);
        answers.push(() => (error ? reject(error) : resolve()));
      }),
    keyOf: (item) => item.slice(0, 1),
    isUnavailable: (error) => error instanceof Down,
    sizeMax: 3,
  });
  const answer = async (): Promise<void> => {
    answers.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { statements, put, answer };
}

test('the first goes at once; what is asked for meanwhile goes together', async () => {
  const { statements, put, answer } = setUp();
  const all = ['a', 'b', 'c', 'd', 'e'].map(put);
  expect(statements).toEqual([['a']]);
  for (let n = 0; n < 3; n++) await answer();
  await Promise.all(all);
  expect(statements).toEqual([['a'], ['b', 'c', 'd'], ['e']]);
});

test('two of one key never share a statement, and keep their order', async () => {
  const { statements, put, answer } = setUp();
  const all = ['a', 'b1', 'b2', 'c'].map(put);
  for (let n = 0; n < 3; n++) await answer();
  await Promise.all(all);
  expect(statements).toEqual([['a'], ['b1', 'c'], ['b2']]);
});

test('one that is refused fails alone; a database that is away fails all at once', async () => {
  const { statements, put, answer } = setUp((items) => (items.includes('x') ? new Error('no') : undefined));
  const all = Promise.allSettled(['a', 'x', 'b'].map(put));
  for (let n = 0; n < 4; n++) await answer();
  expect((await all).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(statements).toEqual([['a'], ['x', 'b'], ['x'], ['b']]);

  const away = setUp(() => new Down('away'));
  const lost = Promise.allSettled(['a', 'b', 'c'].map(away.put));
  for (let n = 0; n < 2; n++) await away.answer();
  expect((await lost).map(({ status }) => status)).toEqual(Array(3).fill('rejected'));
  expect(away.statements).toEqual([['a'], ['b', 'c']]);
});
