import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aContract, aHolder, aLock, anAgent, someTerms, uidOf } from '../contract/builders.ts';
import type { LiveContract } from '../contract/contract.ts';
import { hasEnded, PHASES } from '../contract/phase.ts';
import { loadOf } from './load.ts';

const contract = (n: number, change: Partial<LiveContract['status']>, cpu = '2'): LiveContract =>
  aContract('Active', change, {
    metadata: { uid: uidOf(1000 + n) },
    spec: { termsSnapshot: someTerms({ resources: { cpu, memory: '1Gi', storage: '1Gi' } }) },
  });
const usedBy = (contracts: LiveContract[]) => loadOf(anAgent(1), contracts).used;

describe('what an agent has promised', () => {
  test('is the sum of the contracts that it may have a machine of', () =>
    expect(
      usedBy([contract(1, { holders: [aHolder(1, 1)] }), contract(2, { holders: [aHolder(1, 1)] }, '3')]),
    ).toEqual({ cpuMilli: 5000, memoryBytes: 2 ** 31, storageBytes: 2 ** 31, gpus: 0, instances: 2 }));

  test('counts a contract once, whatever epochs of it the agent holds', () =>
    expect(usedBy([contract(1, { holders: [aHolder(1, 1), aHolder(1, 3)] })]).cpuMilli).toBe(2000));

  test('counts one that moved on as long as the agent has not confirmed that its machine is gone', () =>
    expect(usedBy([contract(1, { epoch: 2, holders: [aHolder(1, 1), aHolder(2, 2)] })]).cpuMilli).toBe(2000));

  test('leaves out those of others, and what has ended', () =>
    expect(
      usedBy([
        contract(1, { holders: [aHolder(2, 1)] }),
        contract(2, { phase: 'Cancelled', holders: [] }),
        contract(3, {}),
      ]).instances,
    ).toBe(0));

  test('a debt takes a slot, unless its contract is counted already', () => {
    const owedDestroys = [1, 7].map((n) => ({
      contractUID: uidOf(1000 + n),
      epoch: 1,
      since: '2026-01-01T00:00:00Z',
    }));
    const agent = { ...anAgent(1), status: { owedDestroys } };
    expect(loadOf(agent, [contract(1, { holders: [aHolder(1, 1)] })]).used.instances).toBe(2);
  });

  test('what is built or checked is not proven yet', () => {
    const phases = ['Provisioning', 'Provisioned', 'Active', 'Accepted', 'Terminating'] as const;
    const held = phases.map((phase, n) => contract(n, { phase, holders: [aHolder(1, 1)] }));
    expect(loadOf(anAgent(1), held).unproven).toBe(2);
  });

  test('what it has locked is being built, until it reports or loses the lock', () => {
    const locked = [1, 2].map((n) =>
      contract(n, {
        phase: 'Provisioning',
        holders: [aHolder(1, 1), aHolder(2, 2)],
        lock: aLock(n, { epoch: 2 }),
      }),
    );
    const lost = contract(3, { phase: 'Accepted', holders: [aHolder(1, 1)] });
    const reported = contract(4, { phase: 'Provisioned', holders: [aHolder(1, 1)] });
    expect(loadOf(anAgent(1), [...locked, lost, reported])).toMatchObject({ building: 1, unproven: 3 });
  });
});

test('depends on the contracts alone: not on their order, and nothing is left when they are gone', () =>
  fc.assert(
    fc.property(
      fc.array(fc.record({ phase: fc.constantFrom(...PHASES), holder: fc.integer({ min: 1, max: 3 }) }), {
        maxLength: 30,
      }),
      (entries) => {
        const all = entries.map(({ phase, holder }, n) =>
          contract(n, { phase, holders: hasEnded(phase) ? [] : [aHolder(holder, 1)] }),
        );
        const { used } = loadOf(anAgent(1), all);
        expect(loadOf(anAgent(1), all.toReversed()).used).toEqual(used);
        const own = entries.filter(({ phase, holder }) => holder === 1 && !hasEnded(phase));
        expect(used.instances).toBe(own.length);
        expect(used.cpuMilli).toBe(2000 * own.length);
      },
    ),
  ));
