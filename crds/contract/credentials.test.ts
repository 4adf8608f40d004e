/** A machine's password: sealed for its tenant, kept with the machine, gone with it. */
import { describe, expect, test } from 'vitest';
import { generateKeyPair } from '../../lib/signature/keys.ts';
import { AppliedRequest } from '../wire/reports.ts';
import { aClaimant, aContract, aHolder, at, uidOf } from './builders.ts';
import type { LiveContract } from './contract.ts';
import { openCredentials, sealCredentials } from './credentials.ts';
import { move } from './move.ts';
import type { ContractStatus } from './status.ts';
import { reportApplied } from './upkeep.ts';

const contractId = 'c'.repeat(32);

test('only the tenant opens it, and only as the password of this contract and wish', () => {
  const tenant = generateKeyPair();
  const secret = { user: 'root', password: 'correct horse' };
  const about = { contractId, count: 2 };
  const sealed = sealCredentials(tenant.publicKey, secret, about);
  expect(openCredentials(tenant.seed, sealed, about)).toEqual(secret);
  for (const other of [
    { ...about, count: 1 },
    { ...about, contractId: 'd'.repeat(32) },
  ])
    expect(() => openCredentials(tenant.seed, sealed, other)).toThrow();
  expect(() => openCredentials(generateKeyPair().seed, sealed, about)).toThrow();
});

describe('in status', () => {
  const instance = { agentUID: uidOf(1), epoch: 3, externalId: 'dc-1' };
  const sealed = 'A'.repeat(96);
  const wished = { restart: 1, reinstall: 1, passwordReset: 1 };
  const machine = (status: Partial<ContractStatus> = {}): LiveContract =>
    aContract('Active', { epoch: 3, holders: [aHolder(1, 3)], instance, ...status }, { spec: wished });
  const facts = { agent: aClaimant(1), epoch: 3, now: at(60) };
  const reported = (contract: LiveContract, change: object): ContractStatus => {
    const verdict = reportApplied(contract, { ...facts, done: {}, ...change });
    return verdict.outcome === 'Write' ? verdict.status : contract.status;
  };
  const set = (): ContractStatus =>
    reported(machine(), { done: { passwordReset: 1 }, sealedCredentials: sealed });

  test('it stands with its wish and its time; a repeat with another one changes nothing', () => {
    expect(set()).toMatchObject({
      applied: { passwordReset: 1 },
      credentials: { sealed, passwordReset: 1, setAt: at(60).toISOString() },
    });
    const repeat = { done: { passwordReset: 1 }, sealedCredentials: 'B'.repeat(96) };
    expect(reported(machine(set()), repeat).credentials).toMatchObject({ sealed });
  });

  test('other reports leave it; a fresh system knows it no more', () => {
    expect(reported(machine(set()), { done: { restart: 1 } }).credentials).toMatchObject({ sealed });
    expect(reported(machine(set()), { done: { reinstall: 1 } }).credentials).toBeUndefined();
  });

  test('it is gone with the machine: at the end, and on the way to another one', () => {
    const now = at(70);
    const said = { by: 'operator', reason: 'Test', message: 'test', now };
    const ending = move(set(), { to: 'Terminating', ...said });
    expect(move({ ...ending, holders: [] }, { to: 'Cancelled', ...said }).credentials).toBeUndefined();
    expect(move(set(), { to: 'Accepted', epoch: 'Raise', ...said }).credentials).toBeUndefined();
    expect(move(set(), { to: 'Paused', ...said }).credentials).toBeDefined();
  });
});

test('a report of a password without it, or of it without a password, is no report', () => {
  const isTaken = (body: object): boolean => AppliedRequest.safeParse({ epoch: 1, ...body }).success;
  const sealedCredentials = 'A'.repeat(96);
  expect([
    isTaken({ passwordReset: 1, sealedCredentials }),
    isTaken({ passwordReset: 1 }),
    isTaken({ sealedCredentials }),
  ]).toEqual([true, false, false]);
});
