import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aClaimant, aContract, aHolder, at, uidOf } from './builders.ts';
import type { LiveContract } from './contract.ts';
import { PHASES } from './phase.ts';
import type { ContractSpec } from './spec.ts';
import { sshKeysSHA256 } from './ssh-keys.ts';
import type { Applied, ContractStatus } from './status.ts';
import { openWishes, orderAgainMs, reportApplied, type Wish } from './upkeep.ts';

const instance = { agentUID: uidOf(1), epoch: 3, externalId: 'dc-1' };
const machine = (
  spec: Partial<ContractSpec> = {},
  applied?: Applied,
  status: Partial<ContractStatus> = {},
): LiveContract =>
  aContract(
    status.phase ?? 'Active',
    { epoch: 3, holders: [aHolder(1, 3)], instance, ...(applied ? { applied } : {}), ...status },
    { spec },
  );
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB other';
const names = (contract: LiveContract) => openWishes(contract).map(({ wish }) => wish);

describe('what is to be done', () => {
  test('nothing to a machine that is as it is wished', () => expect(openWishes(machine())).toEqual([]));

  test('all of it, in an order that wastes nothing', () => {
    const wished = machine(
      { reinstall: 1, restart: 2, passwordReset: 1, sshPublicKeys: [KEY] },
      { sshKeysSHA256: sshKeysSHA256(['old']), powerState: 'Stopped' },
    );
    expect(names(wished)).toEqual(['Reinstall', 'SshKeys', 'Password', 'Restart', 'Power']);
  });

  test('a machine that is to be off is only switched off', () =>
    expect(openWishes(machine({ powerState: 'Stopped', restart: 1, reinstall: 1 }))).toEqual([
      { wish: 'Power', powerState: 'Stopped' },
    ]));

  test('a paused contract is stopped, whatever its tenant wishes, and started again after it', () => {
    const paused = machine({}, undefined, { phase: 'Paused' });
    expect(openWishes(paused)).toEqual([{ wish: 'Power', powerState: 'Stopped' }]);
    expect(openWishes(machine({}, { powerState: 'Stopped' }))).toEqual([
      { wish: 'Power', powerState: 'Running' },
    ]);
  });

  test('nothing in any other phase', () => {
    for (const phase of PHASES)
      if (phase !== 'Active' && phase !== 'Paused')
        expect(openWishes(machine({ restart: 1, powerState: 'Stopped' }, undefined, { phase }))).toEqual([]);
  });

  test('keys of an agent that never said which it set are left alone', () =>
    expect(openWishes(machine({ sshPublicKeys: [KEY] }))).toEqual([]));
});

describe('what was done', () => {
  const facts = { agent: aClaimant(1), epoch: 3, now: at(60) };

  test('is noted, and told in the history', () => {
    const verdict = reportApplied(machine({ restart: 1 }), { ...facts, done: { restart: 1 } });
    expect(verdict).toMatchObject({
      outcome: 'Write',
      status: { applied: { restart: 1 }, phase: 'Active' },
      answer: { then: 'Continue' },
    });
    if (verdict.outcome !== 'Write') throw new Error('it is written');
    expect(verdict.status.history?.at(-1)).toMatchObject({ reason: 'Restarted', by: 'agent-1' });
    const repeat = reportApplied(
      { ...machine(), status: verdict.status },
      { ...facts, done: { restart: 1 } },
    );
    expect(repeat.outcome).toBe('Answer');
  });

  test('more than was wished is not done: the next wish is carried out', () => {
    const verdict = reportApplied(machine({ restart: 2 }), { ...facts, done: { restart: 99, reinstall: 1 } });
    expect(verdict).toMatchObject({ outcome: 'Write', status: { applied: { restart: 2 } } });
    if (verdict.outcome !== 'Write') throw new Error('nothing was written');
    expect(verdict.status.applied?.reinstall).toBeUndefined();
    expect(names({ ...machine({ restart: 3, reinstall: 1 }), status: verdict.status })).toEqual([
      'Reinstall',
      'Restart',
    ]);
  });

  test('late or doubled it takes nothing back', () => {
    const verdict = reportApplied(machine({}, { restart: 5 }), { ...facts, done: { restart: 4 } });
    expect(verdict.outcome).toBe('Answer');
  });

  test('a re-installed machine shows another host key', () => {
    const details = {
      externalId: 'dc-1',
      sshPort: 22,
      ipAddress: '198.51.100.9',
      hostKeyFingerprint: `SHA256:${'B'.repeat(43)}`,
    };
    const verdict = reportApplied(machine({ reinstall: 1 }), { ...facts, done: { reinstall: 1 }, details });
    expect(verdict).toMatchObject({
      status: { access: { hostKeyFingerprint: details.hostKeyFingerprint }, endpoint: '198.51.100.9:22' },
    });
  });

  const failing = { wish: 'Restart', mark: '1', isFinal: false, message: 'no answer' } as const;
  const failedWith = (
    contract: LiveContract,
    failed: typeof failing | (Omit<typeof failing, 'isFinal'> & { isFinal: true }),
  ) => {
    const verdict = reportApplied(contract, { ...facts, done: {}, failed });
    if (verdict.outcome !== 'Write') throw new Error('it is written');
    return { ...contract, status: verdict.status };
  };

  test('what did not work is noted, stays open, lets the others go first and is ordered again later', () => {
    const failed = failedWith(machine({ restart: 1, passwordReset: 1 }), failing);
    expect(failed.status.applied?.failed).toEqual([{ ...failing, at: at(60).toISOString() }]);
    expect(names(failed)).toEqual(['Password', 'Restart']);
    const [, wish] = openWishes(failed);
    expect(wish && orderAgainMs(failed, wish)).toBe(at(90).getTime());
    const done = reportApplied(failed, { ...facts, done: { restart: 1 } });
    expect(done.outcome === 'Write' && done.status.applied?.failed).toBeUndefined();
  });

  test('what can never be done blocks nothing; the next wish of its kind is tried', () => {
    const refused = failedWith(machine({ restart: 1, powerState: 'Running' }, { powerState: 'Stopped' }), {
      ...failing,
      isFinal: true,
    });
    expect(names(refused)).toEqual(['Power']);
    expect(names({ ...refused, spec: { ...refused.spec, restart: 2 } })).toEqual(['Restart', 'Power']);
  });

  test.each([
    ['another epoch', machine(), { epoch: 2 }, 'StaleEpoch'],
    ['an epoch above', machine(), { epoch: 4 }, 'Conflict'],
    ['another agent', machine(), { agent: aClaimant(2) }, 'IllegalMove'],
    ['a contract that ends', machine({}, undefined, { phase: 'Terminating' }), {}, 'IllegalMove'],
    ['another machine', machine(), { details: { externalId: 'dc-2', sshPort: 22 } }, 'IllegalMove'],
  ] as const)('of %s changes nothing', (_name, contract, change, code) =>
    expect(reportApplied(contract, { ...facts, done: { restart: 1 }, ...change })).toMatchObject({
      outcome: 'Refused',
      code,
    }),
  );
});

/** What an agent says once it has carried a wish out. */
const doneOf = (wish: Wish): Omit<Applied, 'failed'> => {
  switch (wish.wish) {
    case 'Power':
      return { powerState: wish.powerState };
    case 'Restart':
      return { restart: wish.count };
    case 'Reinstall':
      return { reinstall: wish.count };
    case 'Password':
      return { passwordReset: wish.count };
    case 'SshKeys':
      return { sshKeysSHA256: wish.sshKeysSHA256 };
  }
};

test('every wish is carried out once, in however many wishes, repeats and pauses', () =>
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          what: fc.constantFrom(
            'restart',
            'reinstall',
            'passwordReset',
            'off',
            'on',
            'keys',
            'pause',
            'resume',
          ),
          repeat: fc.boolean(),
        }),
        { maxLength: 12 },
      ),
      (steps) => {
        let contract = machine({}, { sshKeysSHA256: sshKeysSHA256(machine().spec.sshPublicKeys) });
        const ordered = new Map<string, number>();
        steps.forEach(({ what, repeat }, index) => {
          const { spec, status } = contract;
          const counters = what === 'restart' || what === 'reinstall' || what === 'passwordReset';
          contract = {
            ...contract,
            spec: {
              ...spec,
              ...(counters ? { [what]: spec[what] + 1 } : {}),
              ...(what === 'off' || what === 'on'
                ? { powerState: what === 'on' ? 'Running' : 'Stopped' }
                : {}),
              ...(what === 'keys' ? { sshPublicKeys: [`key ${index}`] } : {}),
            },
            status: {
              ...status,
              phase: what === 'pause' ? 'Paused' : what === 'resume' ? 'Active' : status.phase,
            },
          };
          for (let guard = 0; openWishes(contract).length > 0; guard++) {
            expect(guard).toBeLessThan(20);
            const [wish] = openWishes(contract);
            if (!wish) break;
            const mark = JSON.stringify(doneOf(wish));
            if ('count' in wish) ordered.set(mark, (ordered.get(mark) ?? 0) + 1);
            for (const _again of repeat ? [1, 2] : [1]) {
              const verdict = reportApplied(contract, {
                agent: aClaimant(1),
                epoch: 3,
                done: doneOf(wish),
                now: at(1),
              });
              if (verdict.outcome === 'Write') contract = { ...contract, status: verdict.status };
            }
          }
        });
        expect(openWishes(contract)).toEqual([]);
        expect([...ordered.values()].every((times) => times === 1)).toBe(true);
      },
    ),
  ));
