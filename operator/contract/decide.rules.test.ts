import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aContract, aHolder, aLock, at, uidOf } from '../../crds/contract/builders.ts';
import { isLegalMove, PHASES } from '../../crds/contract/phase.ts';
import { anOutlook, cancel, gist, held, instance, someFacts, verified } from './builders.ts';
import { decide } from './decide.ts';

describe('debts', () => {
  const history = [
    { seq: 1, at: at(0).toISOString(), to: 'Terminating' as const, by: 'operator', reason: 'X' },
  ];
  test('a holder silent for 24 hours becomes one, and then the contract ends', () => {
    const contract = aContract('Terminating', { ...held, history });
    expect(gist(decide(someFacts({ contract, now: at(86_399) })))).toMatchObject({
      phase: 'Terminating',
      before: [],
      requeueAfterMs: 1000,
    });
    expect(gist(decide(someFacts({ contract, now: at(86_400) })))).toMatchObject({
      phase: 'Failed',
      before: ['RecordDebt'],
    });
  });
  test('a superseded epoch too, while the contract lives on; the present one never', () => {
    const attempts = [
      {
        agent: 'agent-1',
        agentUID: uidOf(1),
        epoch: 1,
        startedAt: at(0).toISOString(),
        endedAt: at(0).toISOString(),
        outcome: 'Failed' as const,
      },
    ];
    const status = {
      epoch: 3,
      holders: [aHolder(1, 1), aHolder(2, 3)],
      attempts,
      instance: { ...instance, agentUID: uidOf(2), epoch: 3 },
      startsAt: at(86_000).toISOString(),
    };
    const decision = decide(someFacts({ contract: aContract('Active', status), now: at(86_400) }));
    expect(decision.before).toEqual([{ type: 'RecordDebt', holder: aHolder(1, 1), how: 'Debt' }]);
    expect(decision.status?.holders).toEqual([aHolder(2, 3)]);
  });
});

test('makes only legal moves, and settles while nothing changes', () => {
  const anyFacts = fc.record({
    phase: fc.constantFrom(...PHASES),
    failures: fc.nat(4),
    holders: fc.constantFrom([], [aHolder(1, 1)]),
    verified: fc.boolean(),
    cancelled: fc.boolean(),
    silentMs: fc.constantFrom(0, 400_000),
    seconds: fc.constantFrom(0, 4000, 90_000, 8 * 86_400),
    online: fc.nat(2),
    withInstance: fc.boolean(),
    withOffering: fc.boolean(),
  });
  fc.assert(
    fc.property(anyFacts, (given) => {
      const ended = ['Rejected', 'Cancelled', 'Expired', 'Failed'].includes(given.phase);
      let contract = aContract(
        given.phase,
        {
          epoch: 1,
          failures: given.failures,
          holders: ended || given.phase === 'Requested' ? [] : [...given.holders],
          startsAt: at(0).toISOString(),
          ...(given.withInstance || ['Provisioned', 'Active', 'Paused'].includes(given.phase)
            ? { instance }
            : {}),
          ...(given.verified ? { access: verified } : {}),
          ...(given.phase === 'Provisioning' ? { lock: aLock(1) } : {}),
        },
        given.cancelled ? cancel : {},
      );
      for (let step = 0; step < 6; step++) {
        const outlook = anOutlook(given.online > 0 ? 'AwaitingAgent' : 'NoAgentOnline');
        const facts = someFacts({
          contract,
          lockSilentMs: given.silentMs,
          now: at(given.seconds),
          outlook,
          ...(given.withOffering ? {} : { offering: undefined }),
        });
        const next = decide(facts).status;
        if (!next || JSON.stringify(next) === JSON.stringify(contract.status)) return;
        expect(
          isLegalMove(contract.status.phase, next.phase),
          `${contract.status.phase} to ${next.phase}`,
        ).toBe(true);
        contract = { ...contract, status: next };
      }
      throw new Error(`never settles: ${contract.status.phase} ${contract.status.reason}`);
    }),
    { numRuns: 2000 },
  );
});
