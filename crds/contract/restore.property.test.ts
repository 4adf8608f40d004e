/** Whatever etcd, PostgreSQL and the agents say: only legal writes, nobody forgotten, and settled after one round. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aContract, aHolder, aLock, at, uidOf } from './builders.ts';
import { judgeInventory } from './inventory.ts';
import { isHolder } from './move.ts';
import { type ContractPhase, hasEnded, isLegalMove, PHASES } from './phase.ts';
import { resolveRestored } from './restore.ts';
import type { RestoredFacts } from './restore-facts.ts';
import { ContractStatus } from './status.ts';

const anAgent = fc.integer({ min: 1, max: 3 });
const anEpoch = fc.integer({ min: 0, max: 5 });
const details = { externalId: 'dc', sshPort: 22, ipAddress: '198.51.100.7' };

const aMachine = fc
  .record({ n: anAgent, epoch: anEpoch, isFinished: fc.boolean() })
  .map(({ n, epoch, isFinished }) => ({
    agent: `agent-${n}`,
    agentUID: uidOf(n),
    epoch,
    externalId: `dc-${n}`,
    details: isFinished ? details : undefined,
    isProven: true,
  }));

const someFacts: fc.Arbitrary<RestoredFacts> = fc
  .record({
    listed: fc.uniqueArray(aMachine, { maxLength: 4, selector: (it) => `${it.agentUID}/${it.epoch}` }),
    inStore: fc.option(aMachine, { nil: undefined }),
    isActive: fc.boolean(),
    endedAt: fc.option(anEpoch, { nil: undefined }),
    closed: fc.array(aMachine, { maxLength: 2 }),
    silent: anAgent,
    generation: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ inStore, isActive, endedAt, silent, ...rest }) => ({
    ...rest,
    inStore: inStore && { ...inStore, activeAt: isActive ? at(1).toISOString() : undefined },
    ended: endedAt === undefined ? undefined : { epoch: endedAt, reason: 'CancelledByTenant' },
    hasListed: (uid: string) => uid !== uidOf(silent),
    agentOf: (uid: string) => ({ name: `agent-${Number(uid.slice(-12))}`, poolName: 'p' }),
    now: at(100),
  }));

const aStatus = fc
  .record({ phase: fc.constantFrom(...PHASES), epoch: anEpoch, n: anAgent })
  .map(({ phase, epoch, n }) => statusOf(phase, { epoch, n }));

function statusOf(phase: ContractPhase, { epoch, n }: { epoch: number; n: number }) {
  const runs = ['Provisioned', 'Active', 'Paused', 'Terminating'].includes(phase);
  return aContract(phase, {
    epoch,
    ...(phase === 'Provisioning' ? { lock: aLock(n, { epoch }) } : {}),
    ...(runs ? { instance: { agentUID: uidOf(n), epoch, externalId: `dc-${n}` } } : {}),
    ...(runs || phase === 'Provisioning' ? { holders: [aHolder(n, epoch)] } : {}),
  });
}

test('only legal writes, every lister a holder, and nothing left to do afterwards', () => {
  fc.assert(
    fc.property(aStatus, someFacts, (contract, facts) => {
      let before = contract.status;
      for (const next of resolveRestored(contract, facts)) {
        expect([before.phase, next.phase]).toSatisfy(() => isLegalMove(before.phase, next.phase));
        expect(next.epoch).toBeGreaterThanOrEqual(before.epoch);
        expect(next.lock === undefined).toBe(next.phase !== 'Provisioning');
        if (['Provisioned', 'Active', 'Paused'].includes(next.phase)) expect(next.instance).toBeDefined();
        if (hasEnded(next.phase)) expect(next.holders ?? []).toEqual([]);
        expect(ContractStatus.safeParse(next).error).toBeUndefined();
        before = next;
      }
      if (!hasEnded(before.phase))
        for (const machine of facts.listed) expect(isHolder(before, machine)).toBe(true);
      expect(resolveRestored({ ...contract, status: before }, facts)).toEqual([]);
    }),
    { numRuns: 2000 },
  );
});

test('no inventory afterwards orders the machine that was chosen to be stopped or destroyed', () => {
  fc.assert(
    fc.property(aStatus, someFacts, (contract, facts) => {
      const status = resolveRestored(contract, facts).at(-1);
      const { instance } = status ?? {};
      if (!status || !instance || status.phase === 'Terminating') return;
      const contractId = contract.metadata.uid?.replaceAll('-', '') ?? '';
      const settled = { ...contract, status };
      for (const n of [1, 2, 3]) {
        const own = facts.listed.filter(({ agentUID }) => agentUID === uidOf(n));
        const answer = judgeInventory({
          agentUID: uidOf(n),
          installation: 'inst',
          listed: own.map(({ externalId, epoch }) => ({ externalId, contractId, epoch })),
          contractOf: () => settled,
          heldBy: [settled],
          owed: [],
          isRevoked: () => false,
        });
        const touched = [...answer.terminate, ...answer.confirm].map(({ epoch }) => epoch);
        if (n === Number(instance.agentUID.slice(-12))) expect(touched).not.toContain(instance.epoch);
        for (const entry of answer.unknown) expect(entry.isContractKnown).toBe(true);
      }
    }),
    { numRuns: 2000 },
  );
});
