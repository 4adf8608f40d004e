import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aClaimant, aContract, at } from './builders.ts';
import type { LiveContract } from './contract.ts';
import { claim, renew } from './lock.ts';
import { hasEnded, isLegalMove } from './phase.ts';
import { release } from './release.ts';
import { reportFailed, reportProvisioned, reportTerminated } from './report.ts';
import { ContractStatus } from './status.ts';
import { end, endPhaseOf, expireLock, failVerification, terminate } from './steps.ts';

/** One call of an agent or one step of the operator, with any epoch, at any time. */
type Call = Readonly<{ kind: string; agent: number; session: number; epoch: number }>;
const calls = fc.array(
  fc.record({
    kind: fc.constantFrom(
      'claim',
      'renew',
      'release',
      'provisioned',
      'failed',
      'terminated',
      'expire',
      'verify',
      'cancel',
      'end',
    ),
    agent: fc.integer({ min: 1, max: 3 }),
    session: fc.integer({ min: 1, max: 2 }),
    epoch: fc.integer({ min: 0, max: 6 }),
  }),
  { maxLength: 40 },
);

function apply(contract: LiveContract, call: Call, seconds: number): LiveContract {
  const agent = aClaimant(call.agent, `session-${call.agent}-${call.session}`);
  const now = at(seconds);
  const { epoch } = call;
  const { status } = contract;
  const said = { reason: 'Test', message: 'test', now };
  const next = (s: typeof status): LiveContract => ({ ...contract, status: s });
  const written = (
    verdict:
      | ReturnType<typeof claim>
      | ReturnType<typeof release>
      | ReturnType<typeof reportFailed>
      | ReturnType<typeof reportProvisioned>
      | ReturnType<typeof reportTerminated>,
  ): LiveContract => (verdict.outcome === 'Write' ? next(verdict.status) : contract);
  switch (call.kind) {
    case 'claim':
      return written(claim(contract, { agent, ttlSeconds: 60, now, eligible: { eligible: true } }));
    case 'renew':
      return written(renew(contract, { agent, epoch, ttlSeconds: 60, now }));
    case 'release':
      return written(release(contract, { agent, epoch, now }));
    case 'provisioned':
      return written(
        reportProvisioned(contract, {
          agent,
          epoch,
          details: { externalId: `dc-${call.session}`, sshPort: 22 },
          now,
        }),
      );
    case 'failed':
      return written(reportFailed(contract, { agent, epoch, errorMessage: 'x', class: 'transient', now }));
    case 'terminated':
      return written(reportTerminated(contract, { agent, epoch, now }));
    case 'expire':
      return status.phase === 'Provisioning' ? next(expireLock(contract, { now })) : contract;
    case 'verify':
      return status.phase === 'Provisioned' ? next(failVerification(contract, said)) : contract;
    case 'cancel':
      return ['Provisioning', 'Provisioned', 'Active'].includes(status.phase)
        ? next(terminate(status, said))
        : contract;
    default:
      return status.phase === 'Terminating' && status.holders?.length === 0
        ? next(end(status, { to: endPhaseOf('Test', true), ...said }))
        : contract;
  }
}

describe('whatever agents say, in whatever order', () => {
  test('moves are legal, epochs only rise, one grant an epoch, and nothing ends while somebody may have a machine', () =>
    fc.assert(
      fc.property(calls, (sequence) => {
        let contract = aContract('Accepted', { epoch: 0 });
        const grants = new Map<number, string>();
        sequence.forEach((call, index) => {
          const before = contract.status;
          contract = apply(contract, call, index);
          const { status } = contract;
          expect(isLegalMove(before.phase, status.phase), `${before.phase} to ${status.phase}`).toBe(true);
          expect(status.epoch).toBeGreaterThanOrEqual(before.epoch);
          expect(status.lock !== undefined).toBe(status.phase === 'Provisioning');
          if (status.lock) {
            const owner = `${status.lock.agentUID}/${status.lock.session}`;
            expect(grants.get(status.lock.epoch) ?? owner).toBe(owner);
            grants.set(status.lock.epoch, owner);
            expect(status.lock.epoch).toBe(status.epoch);
            expect(status.holders).toContainEqual(
              expect.objectContaining({ agentUID: status.lock.agentUID, epoch: status.epoch }),
            );
          }
          if (hasEnded(status.phase)) expect(status.holders ?? []).toEqual([]);
          const left = (before.holders ?? []).filter(
            (h) => !(status.holders ?? []).some((o) => o.epoch === h.epoch && o.agentUID === h.agentUID),
          );
          if (left.length > 0) expect(['release', 'terminated']).toContain(call.kind);
          if (status.instance && status.phase !== 'Terminating')
            expect(status.instance.epoch).toBe(status.epoch);
          expect(ContractStatus.safeParse(status).error?.issues ?? []).toEqual([]);
        });
      }),
      { numRuns: 1000 },
    ));
});
