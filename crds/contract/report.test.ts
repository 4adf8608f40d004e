import { describe, expect, test } from 'vitest';
import { aClaimant, aContract, aHolder, aLock, at, uidOf } from './builders.ts';
import type { LiveContract } from './contract.ts';
import { gapAfter } from './failing.ts';
import { reportFailed, reportProvisioned, reportTerminated } from './report.ts';
import type { Claimant } from './verdict.ts';

const DETAILS = { externalId: 'dc-1', ipAddress: '127.0.0.1', sshPort: 2201 };
const instance = { agentUID: uidOf(1), epoch: 1, externalId: 'dc-1' };
const provisioning = (n = 1, epoch = 1) =>
  aContract('Provisioning', { epoch, lock: aLock(n, { epoch }), holders: [aHolder(n, epoch)] });
const expired = aContract('Accepted', {
  epoch: 1,
  holders: [aHolder(1, 1)],
  failures: 1,
  attempts: [
    {
      agent: 'agent-1',
      agentUID: uidOf(1),
      epoch: 1,
      startedAt: at(0).toISOString(),
      endedAt: at(300).toISOString(),
      outcome: 'Expired',
    },
  ],
});
const active = aContract('Active', {
  epoch: 1,
  holders: [aHolder(1, 1)],
  instance,
  access: { verifiedAt: at(5).toISOString() },
});

describe('provisioned', () => {
  const report = (
    contract: LiveContract,
    more: { epoch?: number; agent?: Claimant; details?: object } = {},
  ) =>
    reportProvisioned(contract, {
      agent: more.agent ?? aClaimant(1),
      epoch: more.epoch ?? 1,
      details: { ...DETAILS, ...more.details },
      now: at(60),
    });

  test('by the holder of the lock: instance and access, the lock goes, the holder stays', () => {
    const verdict = report(provisioning());
    expect(verdict).toMatchObject({
      outcome: 'Write',
      answer: { then: 'Continue' },
      status: {
        phase: 'Provisioned',
        epoch: 1,
        instance,
        endpoint: '127.0.0.1:2201',
        holders: [aHolder(1, 1)],
        agent: 'agent-1',
      },
    });
    expect(verdict.outcome === 'Write' && verdict.status.lock).toBeUndefined();
  });

  test('after a mere expiry still counts: finished work is not thrown away', () =>
    expect(report(expired)).toMatchObject({ outcome: 'Write', status: { phase: 'Provisioned', instance } }));

  test('without epoch, as the reference agent sends it, is judged by the lock', () =>
    expect(
      reportProvisioned(provisioning(1, 6), { agent: aClaimant(1), details: DETAILS, now: at(60) }),
    ).toMatchObject({
      outcome: 'Write',
      status: { instance: { epoch: 6 } },
    }));

  const cases: { name: string; given: LiveContract; more?: object; want: object }[] = [
    {
      name: 'of a superseded epoch',
      given: provisioning(2, 2),
      want: { outcome: 'Refused', code: 'StaleEpoch', data: { then: 'Destroy' }, final: true },
    },
    {
      name: 'by who is no holder',
      given: provisioning(2, 1),
      want: { code: 'StaleEpoch', data: { then: 'Destroy' } },
    },
    {
      name: 'of an epoch not granted yet',
      given: provisioning(),
      more: { epoch: 2 },
      want: { code: 'Conflict', data: { then: 'Continue' } },
    },
    {
      name: 'while it terminates',
      given: aContract('Terminating', { epoch: 1, holders: [aHolder(1, 1)] }),
      want: { outcome: 'Answer', answer: { then: 'Destroy' }, final: true },
    },
    {
      name: 'of an ended contract',
      given: aContract('Cancelled', { epoch: 1 }),
      want: { code: 'StaleEpoch', data: { then: 'Destroy' } },
    },
    { name: 'repeated', given: active, want: { outcome: 'Answer', answer: { then: 'Continue' } } },
    {
      name: 'with another machine',
      given: active,
      more: { details: { externalId: 'dc-2' } },
      want: { code: 'IllegalMove', data: { then: 'Continue' } },
    },
    {
      name: 'repeated with the verification that was missing',
      given: aContract('Provisioned', {
        epoch: 1,
        holders: [aHolder(1, 1)],
        instance,
        access: { port: 2201 },
      }),
      more: { details: { verifiedAt: at(50).toISOString() } },
      want: {
        outcome: 'Write',
        status: { phase: 'Provisioned', access: { verifiedAt: at(50).toISOString() } },
      },
    },
  ];
  for (const { name, given, more, want } of cases)
    test(name, () => expect(report(given, more)).toMatchObject(want));
});

describe('failed', () => {
  const report = (contract: LiveContract, more: object = {}) =>
    reportFailed(contract, {
      agent: aClaimant(1),
      epoch: 1,
      errorMessage: 'no disk',
      class: 'transient',
      now: at(60),
      ...more,
    });

  test('frees the contract with a new epoch, keeps the holder, and waits before the next attempt', () => {
    const verdict = report(provisioning());
    expect(verdict).toMatchObject({
      outcome: 'Write',
      answer: { willRetry: true, then: 'Destroy' },
      status: {
        phase: 'Accepted',
        epoch: 2,
        failures: 1,
        holders: [aHolder(1, 1)],
        attempts: [{ outcome: 'Failed', message: 'no disk' }],
      },
    });
    if (verdict.outcome !== 'Write') throw new Error('unreachable');
    const gapMs = Date.parse(verdict.status.nextAttemptAt ?? '') - at(60).getTime();
    expect(gapMs).toBeGreaterThanOrEqual(54_000);
    expect(gapMs).toBeLessThanOrEqual(66_000);
    const again = report({ ...provisioning(), status: verdict.status });
    expect(again).toMatchObject({ outcome: 'Answer', answer: verdict.answer });
  });

  test('for want of room is no failure', () => {
    const verdict = report(provisioning(), { class: 'capacity' });
    expect(verdict).toMatchObject({ status: { failures: 0, capacityReleases: 1 } });
  });

  test('for want of room says so, whatever number of tries there was', () => {
    const verdict = report(provisioning(), { class: 'capacity' });
    expect(verdict).toMatchObject({
      status: { message: expect.stringMatching(/no room/), capacityReleases: 1 },
    });
  });
  test('with a configuration that a second agent finds wrong is the last try', () => {
    const wrong = {
      startedAt: at(0).toISOString(),
      endedAt: at(9).toISOString(),
      outcome: 'Failed',
      class: 'configuration',
    } as const;
    const first = { agent: 'agent-2', agentUID: uidOf(2), epoch: 1, ...wrong };
    const second = { ...provisioning(1, 3), status: { ...provisioning(1, 3).status, attempts: [first] } };
    const given = { class: 'configuration', epoch: 3 } as const;
    expect(report(provisioning(1, 3), given)).toMatchObject({ answer: { willRetry: true } });
    expect(report(second, given)).toMatchObject({ answer: { willRetry: false } });
  });
  test('after an expiry is 200 and counts no second attempt', () =>
    expect(report(expired)).toMatchObject({
      outcome: 'Answer',
      answer: { willRetry: true, then: 'Continue' },
    }));

  test('of a superseded epoch is refused', () =>
    expect(report(provisioning(2, 2))).toMatchObject({ outcome: 'Refused', code: 'StaleEpoch' }));

  test('while it terminates is answered Destroy', () =>
    expect(report(aContract('Terminating', { epoch: 1, holders: [aHolder(1, 1)] }))).toMatchObject({
      answer: { willRetry: false, then: 'Destroy' },
    }));

  test('the second gap is five minutes, and the same for the same contract', () => {
    expect(gapAfter(2, 'x')).toBe(gapAfter(2, 'x'));
    expect(gapAfter(2, 'x')).toBeGreaterThan(4 * 60_000);
    expect(gapAfter(9, 'x')).toBe(gapAfter(2, 'x'));
  });
});

describe('terminated', () => {
  const gone = (contract: LiveContract, more: object = {}) =>
    reportTerminated(contract, { agent: aClaimant(1), now: at(60), ...more });

  test('takes exactly its own entry', () =>
    expect(
      gone(aContract('Terminating', { epoch: 3, holders: [aHolder(1, 1), aHolder(1, 3), aHolder(2, 2)] }), {
        epoch: 1,
      }),
    ).toMatchObject({
      outcome: 'Write',
      answer: { confirmed: true },
      status: { phase: 'Terminating', holders: [aHolder(1, 3), aHolder(2, 2)] },
    }));

  test('without epoch takes all entries of that agent', () =>
    expect(
      gone(aContract('Terminating', { epoch: 3, holders: [aHolder(1, 1), aHolder(1, 3), aHolder(2, 2)] })),
    ).toMatchObject({
      status: { holders: [aHolder(2, 2)] },
    }));

  test('of the epoch of the lock counts as a release', () =>
    expect(gone(provisioning(), { epoch: 1 })).toMatchObject({
      status: { phase: 'Accepted', epoch: 2, holders: [] },
    }));

  test('of the running machine leaves the move to the operator', () =>
    expect(gone(active, { epoch: 1 })).toMatchObject({ status: { phase: 'Active', holders: [], instance } }));

  test('repeated is fine and changes nothing', () =>
    expect(gone(aContract('Cancelled'), { epoch: 1 })).toMatchObject({
      outcome: 'Answer',
      answer: { confirmed: false },
    }));
});
