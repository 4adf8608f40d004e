import { describe, expect, test } from 'vitest';
import { aClaimant, aContract, aHolder, aLock, at, NOON, uidOf } from './builders.ts';
import type { LiveContract } from './contract.ts';
import { claim, renew } from './lock.ts';
import { release } from './release.ts';
import type { Claimant } from './verdict.ts';

const ELIGIBLE = { eligible: true } as const;
const ask = (
  contract: LiveContract,
  agent: Claimant,
  more: { observedEpoch?: number; eligible?: Parameters<typeof claim>[1]['eligible'] } = {},
) => claim(contract, { agent, ttlSeconds: 300, now: at(10), eligible: ELIGIBLE, ...more });
const provisioning = (n = 1, epoch = 1) =>
  aContract('Provisioning', { epoch, lock: aLock(n, { epoch }), holders: [aHolder(n, epoch)] });

describe('claim', () => {
  test('grants a waiting contract: epoch up, lock, holder, phase, all in one status', () => {
    const verdict = ask(aContract('Accepted', { epoch: 4, holders: [aHolder(7, 4)] }), aClaimant(1), {
      observedEpoch: 4,
    });
    expect(verdict).toMatchObject({
      outcome: 'Write',
      answer: { acquired: true, epoch: 5, expiresInMs: 300_000, then: 'Continue' },
      status: {
        phase: 'Provisioning',
        epoch: 5,
        agent: 'agent-1',
        lock: { agentUID: uidOf(1), session: 'session-1', epoch: 5, expiresAt: at(310).toISOString() },
        holders: [aHolder(7, 4), aHolder(1, 5)],
      },
    });
  });

  const refused: { name: string; given: LiveContract; more?: object; want: object }[] = [
    {
      name: 'held by another',
      given: provisioning(2),
      want: { code: 'LockHeld', data: { acquired: false, then: 'Continue', held: { agent: 'agent-2' } } },
    },
    {
      name: 'a late duplicate naming an old epoch',
      given: aContract('Accepted', { epoch: 3 }),
      more: { observedEpoch: 2 },
      want: { code: 'StaleEpoch' },
    },
    {
      name: 'not eligible',
      given: aContract(),
      more: { eligible: { eligible: false, reason: 'AgentCordoned', message: 'cordoned' } },
      want: { code: 'NotEligible' },
    },
    {
      name: 'no finalizer yet',
      given: aContract('Accepted', {}, { metadata: { finalizers: [] } }),
      want: { code: 'LockNotAvailable' },
    },
    {
      name: 'a cancel was asked for',
      given: aContract('Accepted', {}, { spec: { cancel: { requested: true } } }),
      want: { code: 'LockNotAvailable' },
    },
    {
      name: 'it is being deleted',
      given: aContract('Accepted', {}, { metadata: { deletionTimestamp: NOON.toISOString() } }),
      want: { code: 'LockNotAvailable' },
    },
    { name: 'not accepted yet', given: aContract('Requested'), want: { code: 'LockNotAvailable' } },
    { name: 'built already', given: aContract('Active', { epoch: 1 }), want: { code: 'LockNotAvailable' } },
    {
      name: 'ended, and the caller never held it',
      given: aContract('Cancelled'),
      want: { code: 'LockNotAvailable' },
    },
  ];
  for (const { name, given, more, want } of refused)
    test(`is refused: ${name}`, () =>
      expect(ask(given, aClaimant(1), more)).toMatchObject({ outcome: 'Refused', ...want }));

  test('asked again by the holding session renews: a lost reply grants nothing twice', () =>
    expect(ask(provisioning(1, 3), aClaimant(1), { observedEpoch: 2 })).toMatchObject({
      outcome: 'Write',
      answer: { acquired: true, epoch: 3 },
      status: { epoch: 3, lock: { epoch: 3, renewedAt: at(10).toISOString() }, holders: [aHolder(1, 3)] },
    }));

  test('by a new session of the same agent is a new grant, and the old epoch stays a holder', () =>
    expect(ask(provisioning(1, 3), aClaimant(1, 'session-new'))).toMatchObject({
      outcome: 'Write',
      answer: { epoch: 4 },
      status: {
        phase: 'Provisioning',
        epoch: 4,
        lock: { session: 'session-new', epoch: 4 },
        holders: [aHolder(1, 3), aHolder(1, 4)],
      },
    }));

  test('by one new session after another ends where the list of holders is full', () => {
    const holders = Array.from({ length: 32 }, (_, n) => aHolder(1, n + 1));
    const full = aContract('Provisioning', { epoch: 32, lock: aLock(1, { epoch: 32 }), holders });
    expect(ask(full, aClaimant(1, 'restarted'))).toMatchObject({ code: 'LockNotAvailable' });
  });

  test('of a terminating contract by a holder is answered Destroy, after a live read', () =>
    expect(ask(aContract('Terminating', { epoch: 1, holders: [aHolder(1, 1)] }), aClaimant(1))).toMatchObject(
      {
        outcome: 'Answer',
        answer: { acquired: false, then: 'Destroy' },
        final: true,
      },
    ));
});

describe('renew', () => {
  const again = (contract: LiveContract, epoch: number, agent = aClaimant(1)) =>
    renew(contract, { agent, epoch, ttlSeconds: 60, now: at(20) });

  test('extends the lock and nothing else', () =>
    expect(again(provisioning(), 1)).toMatchObject({
      outcome: 'Write',
      answer: { acquired: true, epoch: 1, expiresInMs: 60_000 },
      status: {
        phase: 'Provisioning',
        epoch: 1,
        lock: {
          acquiredAt: NOON.toISOString(),
          renewedAt: at(20).toISOString(),
          expiresAt: at(80).toISOString(),
        },
      },
    }));

  const cases: { name: string; given: LiveContract; epoch: number; agent?: Claimant; want: object }[] = [
    {
      name: 'after a mere expiry: Continue without a lock',
      given: aContract('Accepted', { epoch: 1, holders: [aHolder(1, 1)] }),
      epoch: 1,
      want: { outcome: 'Answer', answer: { acquired: false, then: 'Continue' }, final: false },
    },
    {
      name: 'superseded epoch: Destroy',
      given: provisioning(2, 2),
      epoch: 1,
      want: { outcome: 'Refused', code: 'StaleEpoch', data: { then: 'Destroy' }, final: true },
    },
    {
      name: 'same epoch, but no holder: Destroy',
      given: aContract('Accepted', { epoch: 1 }),
      epoch: 1,
      want: { code: 'StaleEpoch', data: { then: 'Destroy' }, final: true },
    },
    {
      name: 'terminating: Destroy',
      given: aContract('Terminating', { epoch: 1, holders: [aHolder(1, 1)] }),
      epoch: 1,
      want: { outcome: 'Answer', answer: { then: 'Destroy' }, final: true },
    },
    {
      name: 'ended: Destroy',
      given: aContract('Failed', { epoch: 1 }),
      epoch: 1,
      want: { outcome: 'Answer', answer: { then: 'Destroy' }, final: true },
    },
    {
      name: 'another session of the same agent',
      given: provisioning(),
      epoch: 1,
      agent: aClaimant(1, 'session-old'),
      want: { code: 'SessionSuperseded', data: { then: 'Continue' } },
    },
    {
      name: 'an epoch above the contract: an older world, nothing is destroyed',
      given: provisioning(),
      epoch: 9,
      want: { code: 'Conflict', data: { then: 'Continue' } },
    },
    {
      name: 'reported already: Continue',
      given: aContract('Active', { epoch: 1, holders: [aHolder(1, 1)] }),
      epoch: 1,
      want: { outcome: 'Answer', answer: { acquired: false, then: 'Continue' } },
    },
  ];
  for (const { name, given, epoch, agent, want } of cases)
    test(name, () => expect(again(given, epoch, agent)).toMatchObject(want));
});

describe('release', () => {
  const free = (contract: LiveContract, more: object = {}) =>
    release(contract, { agent: aClaimant(1), now: at(30), ...more });

  test('of the lock: free at once, epoch up, the holder leaves, no failure counted', () => {
    const verdict = free(provisioning(), { epoch: 1 });
    expect(verdict).toMatchObject({
      outcome: 'Write',
      answer: { released: true },
      status: { phase: 'Accepted', epoch: 2, holders: [], attempts: [{ outcome: 'Released', epoch: 1 }] },
    });
    if (verdict.outcome !== 'Write') throw new Error('unreachable');
    expect(verdict.status).not.toHaveProperty('lock');
    expect(verdict.status.failures ?? 0).toBe(0);
    expect(verdict.status).not.toHaveProperty('nextAttemptAt');
  });

  test('for want of room counts apart and waits a little', () =>
    expect(free(provisioning(), { epoch: 1, class: 'capacity' })).toMatchObject({
      status: { capacityReleases: 1, reason: 'NoRoom', nextAttemptAt: at(45).toISOString() },
    }));

  test('of an older epoch only takes the entry away', () =>
    expect(
      free(
        aContract('Provisioning', {
          epoch: 2,
          lock: aLock(2, { epoch: 2 }),
          holders: [aHolder(1, 1), aHolder(2, 2)],
        }),
        { epoch: 1 },
      ),
    ).toMatchObject({
      outcome: 'Write',
      status: { phase: 'Provisioning', epoch: 2, holders: [aHolder(2, 2)] },
    }));

  test('twice, or by who holds nothing, changes nothing', () => {
    expect(free(aContract(), { epoch: 1 })).toMatchObject({ outcome: 'Answer', answer: { released: false } });
    expect(free(provisioning(2))).toMatchObject({ outcome: 'Answer', answer: { released: false } });
  });

  test('of the running machine is refused', () =>
    expect(
      free(
        aContract('Active', {
          epoch: 1,
          holders: [aHolder(1, 1)],
          instance: { agentUID: uidOf(1), epoch: 1, externalId: 'dc-1' },
        }),
        { epoch: 1 },
      ),
    ).toMatchObject({ outcome: 'Refused', code: 'IllegalMove' }));
});
