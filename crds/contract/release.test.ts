/** An agent that claims and gives back, again and again, keeps neither the others from the work nor the API server busy. */
import { describe, expect, test } from 'vitest';
import { someAgent } from '../placement/builders.ts';
import { prepareSupply } from '../placement/supply.ts';
import { aClaimant, aContract, aPool, at, uidOf } from './builders.ts';
import type { LiveContract } from './contract.ts';
import { eligibility } from './eligibility.ts';
import { claim } from './lock.ts';
import { release } from './release.ts';

/** It says that it is larger than it could be, and so is the first choice always. */
const greedy = someAgent(1, { status: { resources: { cpu: '9999', memory: '99Ti', storage: '999Ti' } } });
const honest = someAgent(2);
const ask = (contract: LiveContract, agent: number, seconds: number) => {
  const agents = [greedy, honest];
  const supply = prepareSupply({ pools: [aPool()], agents });
  return eligibility(contract, { agentUID: uidOf(agent), supply, now: at(seconds) });
};

/** Claimed and given back by agent 1 at once. */
function givenBack(contract: LiveContract, seconds: number): LiveContract {
  const now = at(seconds);
  const claimed = claim(contract, {
    ...{ agent: aClaimant(1), ttlSeconds: 300, now, eligible: { eligible: true } },
  });
  if (claimed.outcome !== 'Write') throw new Error(claimed.outcome);
  const freed = release({ ...contract, status: claimed.status }, { agent: aClaimant(1), now });
  if (freed.outcome !== 'Write') throw new Error(freed.outcome);
  return { ...contract, status: freed.status };
}

describe('who gives work back', () => {
  test('once may have it again at once: it was restarted', () => {
    const once = givenBack(aContract(), 10);
    expect(ask(once, 1, 10)).toEqual({ eligible: true });
    expect(once.status.nextAttemptAt).toBeUndefined();
  });

  test('twice lets the others go first', () => {
    const twice = givenBack(givenBack(aContract(), 10), 11);
    expect(ask(twice, 2, 11)).toEqual({ eligible: true });
    expect(ask(twice, 1, 40)).toMatchObject({ eligible: false, reason: 'AwaitsTurn' });
    expect(ask(twice, 1, 41)).toEqual({ eligible: true });
  });

  test('a third time costs a pause, so that it does not go on and on in a second', () => {
    const thrice = [10, 11, 12].reduce(givenBack, aContract());
    expect(thrice.status.nextAttemptAt).toBe(at(27).toISOString());
    expect(thrice.status).toMatchObject({ phase: 'Accepted', reason: 'Released' });
    expect(thrice.status.failures).toBeUndefined();
    expect(ask(thrice, 2, 27)).toEqual({ eligible: true });
  });
});
