import { describe, expect, test } from 'vitest';
import { type Action, act } from './act.ts';
import { ACTION_NAMES, mayAct, refusalOf } from './actions.ts';
import { aContract, someTerms } from './builders.ts';
import { PHASES } from './phase.ts';
import { ARCHIVED_SENTENCE } from './retry.ts';

const ACTIONS: Record<(typeof ACTION_NAMES)[number], Action> = {
  cancel: { type: 'cancel', by: 'Tenant' },
  decide: { type: 'decide', verdict: 'Accept' },
  extend: { type: 'extend', hours: 2 },
  renew: { type: 'renew', autoRenew: { hours: 24, maxHours: 48 } },
  changeKeys: { type: 'changeKeys', sshPublicKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB other'] },
  power: { type: 'power', powerState: 'Stopped' },
  restart: { type: 'restart' },
  reinstall: { type: 'reinstall' },
  resetPassword: { type: 'resetPassword' },
  retry: { type: 'retry' },
  pause: { type: 'pause', reason: 'abuse' },
  resume: { type: 'resume' },
};

describe('every action in every phase', () => {
  for (const name of ACTION_NAMES)
    test(name, () => {
      const spec = name === 'resume' ? { pause: { requested: true } } : {};
      for (const phase of PHASES) {
        const verdict = act(aContract(phase, {}, { spec }), ACTIONS[name]);
        if (mayAct(name, phase)) expect(verdict.outcome).toBe('Write');
        else
          expect(verdict).toMatchObject({
            outcome: 'Refused',
            code: 'IllegalMove',
            message: refusalOf(name, phase),
          });
      }
    });

  test('the refusal says what would be needed', () =>
    expect(refusalOf('restart', 'Paused')).toBe(
      'a contract can be restarted only while it is Active; it is Paused',
    ));
});

test('a re-installation takes other settings, as the terms allow', () => {
  const instanceConfigSchema = { properties: { image: { enum: ['debian'] } } };
  const termsSnapshot = { ...someTerms(), instanceConfigSchema };
  const contract = aContract('Active', {}, { spec: { termsSnapshot, instanceConfig: { image: 'old' } } });
  const image = (image: string) => act(contract, { type: 'reinstall', instanceConfig: { image } });
  expect(image('debian')).toMatchObject({ spec: { reinstall: 1, instanceConfig: { image: 'debian' } } });
  expect(image('windows')).toMatchObject({
    code: 'InstanceConfigInvalid',
    message: 'instanceConfig is not what the offering allows: /image must be one of "debian"',
    errors: [{ field: 'instanceConfig/image', pointer: '/image' }],
  });
  expect(act(contract, { type: 'reinstall' })).toMatchObject({ code: 'InstanceConfigInvalid' });
});

describe('asking twice', () => {
  test('is asking once, whatever the phase is by then', () => {
    for (const action of [ACTIONS.cancel, ACTIONS.power, ACTIONS.pause, ACTIONS.changeKeys]) {
      const contract = aContract('Active');
      const first = act(contract, action);
      if (first.outcome !== 'Write') throw new Error('the first is written');
      expect(act({ ...aContract('Failed'), spec: first.spec }, action)).toEqual({ outcome: 'Unchanged' });
    }
  });

  test('for a retry is asking once where its number is named, and one more where it is not', () => {
    const contract = aContract('Failed', {}, { spec: { retry: 2 } });
    expect(act(contract, { type: 'retry', count: 2 })).toEqual({ outcome: 'Unchanged' });
    expect(act(contract, { type: 'retry', count: 3 })).toMatchObject({ spec: { retry: 3 } });
    expect(act(contract, { type: 'retry' })).toMatchObject({ spec: { retry: 3 } });
    const again = aContract('Accepted', {}, { spec: { retry: 3 } });
    expect(act(again, { type: 'retry', count: 3 })).toEqual({ outcome: 'Unchanged' });
  });

  test('for a retry of what is archived is refused', () => {
    const archived = {
      type: 'Archived',
      status: 'True',
      reason: 'Archived',
      message: 'Kept in the archive',
      lastTransitionTime: '2026-01-01T12:00:00.000Z',
    } as const;
    expect(act(aContract('Failed', { conditions: [archived] }), { type: 'retry' })).toMatchObject({
      outcome: 'Refused',
      message: ARCHIVED_SENTENCE,
    });
  });

  test('for a restart is two restarts', () => {
    const first = act(aContract('Active'), { type: 'restart' });
    if (first.outcome !== 'Write') throw new Error('the first is written');
    expect(act({ ...aContract('Active'), spec: first.spec }, { type: 'restart' })).toMatchObject({
      spec: { restart: 2 },
    });
  });

  test('a decision stays', () =>
    expect(
      act(aContract('Requested', {}, { spec: { decision: { verdict: 'Reject' } } }), ACTIONS.decide),
    ).toMatchObject({
      outcome: 'Refused',
      message: 'a decision cannot be changed; cancel the contract instead',
    }));
});

test('an extension stays within the terms, and says by how much it can be', () => {
  const contract = aContract('Active', {}, { spec: { termsSnapshot: someTerms({ maxHours: 30 }) } });
  expect(act(contract, { type: 'extend', hours: 6 })).toMatchObject({ spec: { durationHours: 30 } });
  expect(act(contract, { type: 'extend', hours: 7 })).toMatchObject({
    outcome: 'Refused',
    message: 'the terms allow 30 hours at most, not 31',
    next: 'Extend it by 6 hours at most, or rent another one.',
  });
});

test.each([
  [7, 100, 'one renewal makes it 31 hours, and the terms allow 30 at most', 'Renew it by 6 hours at most.'],
  [
    2,
    25,
    'one renewal makes it 26 hours, and autoRenew.maxHours allows 25 at most',
    'Set autoRenew.maxHours to 26 or more, or renew it by less.',
  ],
])('a renewal by %i up to %i that can never be is refused', (hours, maxHours, message, next) => {
  const terms = { spec: { termsSnapshot: someTerms({ maxHours: 30 }) } };
  const autoRenew = { hours, maxHours };
  const contract = aContract('Active', {}, terms);
  expect(act(contract, { type: 'renew', autoRenew })).toEqual({
    ...{ outcome: 'Refused', code: 'ValidationFailed', next },
    message: `it would never renew itself: ${message}`,
  });
  const kept = { ...contract, spec: { ...contract.spec, autoRenew } };
  expect(act(kept, { type: 'renew', autoRenew })).toMatchObject({ outcome: 'Write' });
});

test('what it renewed by itself counts too', () => {
  const terms = { spec: { termsSnapshot: someTerms({ maxHours: 30 }) } };
  const contract = aContract('Active', { renewedHours: 4 }, terms);
  expect(act(contract, { type: 'extend', hours: 2 })).toMatchObject({ spec: { durationHours: 26 } });
  expect(act(contract, { type: 'extend', hours: 3 })).toMatchObject({
    outcome: 'Refused',
    message: 'the terms allow 30 hours at most, not 31',
    next: 'Extend it by 2 hours at most, or rent another one.',
  });
});
