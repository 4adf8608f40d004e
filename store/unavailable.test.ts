import { expect, test } from 'vitest';
import { Problem } from '../crds/problem.ts';
import { toStoreProblem } from './unavailable.ts';

const withCode = (code: string): Error => Object.assign(new Error('it broke'), { code });

const cases: readonly Readonly<{ name: string; error: unknown; is: 'Unavailable' | 'OurMistake' }>[] = [
  { name: 'a refused connection', error: withCode('ECONNREFUSED'), is: 'Unavailable' },
  {
    name: 'a deadline of the pool',
    error: new Error('timeout exceeded when trying to connect'),
    is: 'Unavailable',
  },
  { name: 'a statement past its deadline', error: withCode('57014'), is: 'Unavailable' },
  { name: 'a server that shuts down', error: withCode('57P01'), is: 'Unavailable' },
  { name: 'too many connections', error: withCode('53300'), is: 'Unavailable' },
  { name: 'a wrong password', error: withCode('28P01'), is: 'Unavailable' },
  { name: 'missing tables', error: withCode('42P01'), is: 'Unavailable' },
  { name: 'a deadlock', error: withCode('40P01'), is: 'Unavailable' },
  { name: 'a syntax error', error: withCode('42601'), is: 'OurMistake' },
  { name: 'a broken constraint', error: withCode('23514'), is: 'OurMistake' },
  { name: 'a value of a wrong type', error: withCode('22P02'), is: 'OurMistake' },
  { name: 'a bug in our code', error: new TypeError('x is not a function'), is: 'OurMistake' },
  { name: 'something that is no error', error: 'oops', is: 'OurMistake' },
];

for (const { name, error, is } of cases)
  test(`${name}: ${is}`, () => {
    const problem = toStoreProblem(error);
    expect(problem?.code).toBe(is === 'Unavailable' ? 'StoreUnavailable' : undefined);
    expect(problem?.cause).toBe(is === 'Unavailable' ? error : undefined);
  });

test('a problem that was told already stays the one it was', () => {
  const problem = new Problem('ValidationFailed', 'no cursor', { next: 'Leave it out.' });
  expect(toStoreProblem(problem)).toBe(problem);
});
