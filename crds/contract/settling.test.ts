import { expect, test } from 'vitest';
import { aContract } from './builders.ts';
import type { Contract } from './contract.ts';
import { beginSettling, CONFLICTS_MAX, lostRace, readLive, settleStep } from './settling.ts';
import type { Verdict } from './verdict.ts';

const contract = aContract('Accepted', { epoch: 3 });
const cached = beginSettling(contract);
const live = readLive(cached, contract);
const refused = { outcome: 'Refused', code: 'LockHeld', message: 'm', next: 'n' } as const;
const says = (verdict: Verdict<string>) => (): Verdict<string> => verdict;

test.each([
  [
    'an answer that harms nobody, from a cache',
    cached,
    { outcome: 'Answer', answer: 'ok', final: false },
    'Answer',
  ],
  [
    'a final answer needs a live read',
    cached,
    { outcome: 'Answer', answer: 'gone', final: true },
    'ReadLive',
  ],
  ['a final answer on a live read', live, { outcome: 'Answer', answer: 'gone', final: true }, 'Answer'],
  ['a refusal that harms nobody, from a cache', cached, { ...refused, final: false }, 'Refuse'],
  ['a final refusal needs a live read', cached, { ...refused, final: true }, 'ReadLive'],
  ['a final refusal on a live read', live, { ...refused, final: true }, 'Refuse'],
  [
    'that it cannot be claimed is looked at twice',
    cached,
    { ...refused, code: 'LockNotAvailable', final: false },
    'ReadLive',
  ],
] as const)('%s', (_name, state, verdict, next) => {
  expect(settleStep(state, says(verdict)).next).toBe(next);
});

test('a write carries the resourceVersion that was read, cached or not', () => {
  const status = { ...contract.status, epoch: 4 };
  const step = settleStep(cached, says({ outcome: 'Write', status, answer: 'granted' }));
  expect(step).toEqual({ next: 'Write', contract: { ...contract, status }, answer: 'granted' });
});

test('after a lost race it reads live, decides again, and gives up after six', () => {
  const write = says({ outcome: 'Write', status: contract.status, answer: 'granted' });
  let state = cached;
  for (let race = 0; race < CONFLICTS_MAX; race++) {
    expect(settleStep(state, write).next).toBe('Write');
    state = lostRace(state);
    if (race < CONFLICTS_MAX - 1) expect(settleStep(state, write).next).toBe('ReadLive');
    state = readLive(state, contract);
  }
  expect(settleStep(state, write).next).toBe('GiveUp');
});

test('a contract without status is read live once, then refused', () => {
  const { status: _none, ...rest } = contract;
  const fresh: Contract = rest;
  const never = (): never => {
    throw new Error('the rule is not asked');
  };
  expect(settleStep(beginSettling(fresh), never).next).toBe('ReadLive');
  const step = settleStep(readLive(beginSettling(fresh), fresh), never);
  expect(step).toMatchObject({ next: 'Refuse', refusal: { code: 'LockNotAvailable' } });
});
