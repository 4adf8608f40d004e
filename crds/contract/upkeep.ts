/**
 * The wishes about a running machine: what the agent is to do next, and what it did. A wish is a state or a counter
 * in spec; `status.applied` says how far the agent is, so each rise of a counter is carried out once, however
 * often it is ordered. Pure: the facade orders what `openWishes` answers and writes what `reportApplied` decides.
 */
import type { InstanceDetails } from '../wire/reports.ts';
import type { LiveContract } from './contract.ts';
import type { Credentials } from './credentials.ts';
import { sameGrant, withHistory } from './move.ts';
import type { ReportAnswer } from './report.ts';
import { accessOf } from './report.ts';
import type { ContractSpec } from './spec.ts';
import { sshKeysSHA256 } from './ssh-keys.ts';
import { epochAhead, staleEpoch } from './stale.ts';
import type { Applied, ContractStatus, WISHES } from './status.ts';
import type { Claimant, Verdict } from './verdict.ts';

/** A wish that failed is ordered again after so long; the agent waits longer from failure to failure. */
const FAILED_WISH_GAP_MS = 30_000;

export type WishName = (typeof WISHES)[number];

export type Wish =
  | Readonly<{ wish: 'Power'; powerState: 'Running' | 'Stopped' }>
  | Readonly<{ wish: 'Restart' | 'Reinstall' | 'Password'; count: number }>
  | Readonly<{ wish: 'SshKeys'; sshKeysSHA256: string; sshPublicKeys: readonly string[] }>;

/**
 * In the order in which they are to be done: what stops comes first, what makes the system anew before what
 * changes it, what starts last; what failed before lets the others go first. What can never be done is no wish
 * any more. Empty unless there is a machine of this contract that should be there.
 */
export function openWishes(contract: LiveContract): Wish[] {
  const failed = contract.status.applied?.failed ?? [];
  const failureOf = (wish: Wish) => failed.find((it) => it.wish === wish.wish && it.mark === markOf(wish));
  const open = wishesOf(contract).filter((wish) => failureOf(wish)?.isFinal !== true);
  return [...open.filter((wish) => !failureOf(wish)), ...open.filter(failureOf)];
}

/** Whether there is a machine that is the tenant's. */
export const hasMachine = ({ phase, instance }: ContractStatus): boolean =>
  (phase === 'Active' || phase === 'Paused') && instance !== undefined;

function wishesOf({ spec, status }: LiveContract): Wish[] {
  if (!hasMachine(status)) return [];
  const done = status.applied ?? {};
  const wanted = status.phase === 'Paused' ? 'Stopped' : spec.powerState;
  const power: Wish[] =
    (done.powerState ?? 'Running') === wanted ? [] : [{ wish: 'Power', powerState: wanted }];
  if (wanted === 'Stopped') return power; // the others wait until it runs again
  const keys = sshKeysSHA256(spec.sshPublicKeys);
  return [
    ...counted('Reinstall', spec.reinstall, done.reinstall),
    ...(done.sshKeysSHA256 === undefined || done.sshKeysSHA256 === keys
      ? []
      : [{ wish: 'SshKeys', sshKeysSHA256: keys, sshPublicKeys: spec.sshPublicKeys } as const]),
    ...counted('Password', spec.passwordReset, done.passwordReset),
    ...counted('Restart', spec.restart, done.restart),
    ...power,
  ];
}

/** What of it is not done yet, for its tenant: being done, tried again, or nothing that this machine can do. */
export const wishStates = (
  contract: LiveContract,
): Readonly<{ wish: WishName; state: 'Open' | 'TriedAgain' | 'CannotBeDone' }>[] =>
  wishesOf(contract).map((wish) => {
    const failure = contract.status.applied?.failed?.find(
      (it) => it.wish === wish.wish && it.mark === markOf(wish),
    );
    return { wish: wish.wish, state: !failure ? 'Open' : failure.isFinal ? 'CannotBeDone' : 'TriedAgain' };
  });

/** Names one wish among all that there ever were about its matter. */
export function markOf(wish: Wish): string {
  switch (wish.wish) {
    case 'Power':
      return wish.powerState;
    case 'SshKeys':
      return wish.sshKeysSHA256;
    default:
      return String(wish.count);
  }
}

/** When a wish that failed is ordered again; undefined: at once. RFC 3339 in, milliseconds since 1970 out. */
export function orderAgainMs({ status }: LiveContract, wish: Wish): number | undefined {
  const failure = status.applied?.failed?.find((it) => it.wish === wish.wish && it.mark === markOf(wish));
  return failure && Date.parse(failure.at) + FAILED_WISH_GAP_MS;
}

const counted = (wish: 'Restart' | 'Reinstall' | 'Password', wanted: number, done = 0): Wish[] =>
  wanted > done ? [{ wish, count: wanted }] : [];

type AppliedFacts = Readonly<{
  agent: Claimant;
  epoch: number;
  done: Omit<Applied, 'failed'>;
  failed?: Readonly<{ wish: WishName; mark: string; isFinal: boolean; message: string }> | undefined;
  /** The new password, sealed for the tenant. */
  sealedCredentials?: string | undefined;
  /** A re-installed machine has another host key, and perhaps another address. */
  details?: InstanceDetails | undefined;
  now: Date;
}>;

/** Only of the contract's machine, only upwards, and never more than was wished: else wishes to come were done. */
export function reportApplied({ spec, status }: LiveContract, facts: AppliedFacts): Verdict<ReportAnswer> {
  const { agent, epoch, now } = facts;
  const { instance } = status;
  if (epoch > status.epoch) return epochAhead({ epoch, status });
  const grant = { agentUID: agent.uid, epoch };
  if (!instance || !sameGrant(instance, grant) || (status.phase !== 'Active' && status.phase !== 'Paused'))
    return epoch < status.epoch ? staleEpoch({ epoch, status }) : notRunning(status);
  if (facts.details && facts.details.externalId !== instance.externalId) return notRunning(status);
  const before = status.applied ?? {};
  const applied = merged(before, { facts, spec });
  const isNews = JSON.stringify(before) !== JSON.stringify(applied);
  if (!isNews && !facts.details) return { outcome: 'Answer', answer: { then: 'Continue' }, final: false };
  const { credentials: _old, ...rest } = status;
  const credentials = credentialsAfter(status, { facts, after: applied });
  const next: ContractStatus = {
    ...rest,
    applied,
    ...(credentials ? { credentials } : {}),
    ...(facts.details ? accessOf(facts.details) : {}),
  };
  return {
    outcome: 'Write',
    status: doneBetween(before, applied).reduce(
      (noted, reason) =>
        withHistory(noted, { from: status.phase, to: status.phase, by: agent.name, reason, now }),
      next,
    ),
    answer: { then: 'Continue' },
  };
}

type Wished = Readonly<{ facts: AppliedFacts; spec: ContractSpec }>;

function merged(before: Applied, { facts: { done, failed, now }, spec }: Wished): Applied {
  const { failed: known = [], ...kept } = before;
  const highest = (name: 'restart' | 'reinstall' | 'passwordReset') => {
    const count = Math.max(before[name] ?? 0, Math.min(done[name] ?? 0, spec[name]));
    return count > 0 ? { [name]: count } : {};
  };
  const isDone: Readonly<Record<WishName, boolean>> = {
    Power: done.powerState !== undefined,
    SshKeys: done.sshKeysSHA256 !== undefined,
    Restart: done.restart !== undefined,
    Reinstall: done.reinstall !== undefined,
    Password: done.passwordReset !== undefined,
  };
  const others = known.filter(({ wish }) => !isDone[wish] && wish !== failed?.wish);
  const entry = failed && {
    ...failed,
    message: failed.message.slice(0, 1000),
    at: now.toISOString(),
  };
  const failures = entry ? [...others, entry] : others;
  return {
    ...kept,
    ...(done.powerState ? { powerState: done.powerState } : {}),
    ...(done.sshKeysSHA256 ? { sshKeysSHA256: done.sshKeysSHA256 } : {}),
    ...highest('restart'),
    ...highest('reinstall'),
    ...highest('passwordReset'),
    ...(failures.length > 0 ? { failed: failures } : {}),
  };
}

/** A fresh system knows no password any more; of two reports of one wish the first counts. */
function credentialsAfter(
  { applied: before = {}, credentials }: ContractStatus,
  { facts, after }: Readonly<{ facts: AppliedFacts; after: Applied }>,
): Credentials | undefined {
  const { passwordReset = 0, reinstall = 0 } = after;
  const { sealedCredentials: sealed, now } = facts;
  if (passwordReset > (before.passwordReset ?? 0))
    return sealed ? { sealed, passwordReset, setAt: now.toISOString() } : undefined;
  return reinstall > (before.reinstall ?? 0) ? undefined : credentials;
}

/** What the history says of it; Events and the tenant's event stream follow the history. */
function doneBetween(before: Applied, after: Applied): string[] {
  const rose = (name: 'restart' | 'reinstall' | 'passwordReset'): boolean =>
    (after[name] ?? 0) > (before[name] ?? 0);
  const keys = before.sshKeysSHA256 !== undefined && before.sshKeysSHA256 !== after.sshKeysSHA256;
  return [
    ...(rose('reinstall') ? ['Reinstalled'] : []),
    ...(keys ? ['SshKeysChanged'] : []),
    ...(rose('passwordReset') ? ['PasswordReset'] : []),
    ...(rose('restart') ? ['Restarted'] : []),
    ...(after.powerState !== undefined && (before.powerState ?? 'Running') !== after.powerState
      ? [after.powerState === 'Running' ? 'PoweredOn' : 'PoweredOff']
      : []),
  ];
}

const notRunning = (status: ContractStatus): Verdict<ReportAnswer> => ({
  outcome: 'Refused',
  code: 'IllegalMove',
  message: `the contract is ${status.phase} with machine ${status.instance?.externalId ?? 'none'}, not this one`,
  next: 'List your machines and let reconcile decide about this one.',
  data: { then: 'Continue' },
  final: false,
});
