/**
 * Carries an action of a person out on the spec of a contract: what the API writes is what YAML would say, and
 * what one refuses the other refuses in the same words (`actions.ts`). Pure. Asking twice is asking once, except
 * for the counters: there each call is one more wish.
 */
import { counted } from '../../lib/counted.ts';
import { type FieldError, fieldsOf, refusalOfConfig } from '../instance-config/check.ts';
import type { PriceValue } from '../price.ts';
import type { ProblemCode } from '../problem.ts';
import { mayAct, refusalOf } from './actions.ts';
import { refusalOfAgreedPrice } from './agreed-price.ts';
import type { Contract } from './contract.ts';
import { hoursOf, isPricedAnew, PRICE_NEXT, refusalOfHours } from './extension.ts';
import { hoursLeft, refusalOfTotal } from './extension-limit.ts';
import { refusalOfRenewal, sameRenewal } from './renewal-limit.ts';
import { ARCHIVED_SENTENCE, isArchived } from './retry.ts';
import type { ContractSpec } from './spec.ts';

export type Action =
  | Readonly<{ type: 'cancel'; by: 'Tenant' | 'Provider'; note?: string | undefined }>
  | Readonly<{ type: 'decide'; verdict: 'Accept' | 'Reject'; note?: string | undefined }>
  /** So many hours more. */
  | Readonly<{
      type: 'extend';
      hours: number;
      /** What they cost now; as the terms say when left out. */
      price?: PriceValue | undefined;
      /** What the tenant agrees to pay for them; the price of the terms when left out. */
      agreed?: PriceValue | undefined;
    }>
  /** Undefined: no longer. */
  | Readonly<{ type: 'renew'; autoRenew: ContractSpec['autoRenew'] }>
  | Readonly<{ type: 'changeKeys'; sshPublicKeys: readonly string[] }>
  | Readonly<{ type: 'power'; powerState: ContractSpec['powerState'] }>
  | Readonly<{ type: 'restart' | 'resetPassword' }>
  /** As many retries in all, so that asking twice is asking once; one more when left out. */
  | Readonly<{ type: 'retry'; count?: number | undefined }>
  | Readonly<{
      type: 'reinstall';
      /** Other settings from now on; those that it has when left out. */
      instanceConfig?: ContractSpec['instanceConfig'];
    }>
  | Readonly<{ type: 'pause'; reason?: string | undefined }>
  | Readonly<{ type: 'resume' }>;

export type ActVerdict =
  | Readonly<{ outcome: 'Write'; spec: ContractSpec }>
  | Readonly<{ outcome: 'Unchanged' }>
  | Readonly<{
      outcome: 'Refused';
      code: ProblemCode;
      message: string;
      next: string;
      /** For programs, beside the sentence. */
      data?: Readonly<Record<string, unknown>> | undefined;
      /** Each field that is not valid. */
      errors?: readonly FieldError[] | undefined;
    }>;

export function act(contract: Contract, action: Action): ActVerdict {
  const { spec, status } = contract;
  if (isDone(spec, action)) return { outcome: 'Unchanged' };
  const phase = status?.phase ?? 'Requested';
  if (!mayAct(action.type, phase))
    return {
      outcome: 'Refused',
      code: 'IllegalMove',
      message: refusalOf(action.type, phase),
      next: phase === 'Terminating' ? 'It is ending; rent another one.' : 'Look at its phase and message.',
    };
  if (action.type === 'retry' && isArchived(contract))
    return refused('IllegalMove', ARCHIVED_SENTENCE, 'Rent another one.');
  if (action.type === 'extend') return extend(contract, action);
  return action.type === 'renew' ? renew(contract, action) : apply(spec, action);
}

/** What was asked before needs no second writing, whatever the phase is now. */
function isDone(spec: ContractSpec, action: Action): boolean {
  switch (action.type) {
    case 'cancel':
      return spec.cancel?.requested ?? false;
    case 'decide':
      return spec.decision?.verdict === action.verdict;
    case 'power':
      return spec.powerState === action.powerState;
    case 'retry':
      return action.count !== undefined && action.count <= spec.retry;
    case 'pause':
      return spec.pause?.requested ?? false;
    case 'resume':
      return !(spec.pause?.requested ?? false);
    case 'changeKeys':
      return sameKeys(spec.sshPublicKeys, action.sshPublicKeys);
    default:
      return false;
  }
}

function apply(spec: ContractSpec, action: Exclude<Action, { type: 'extend' | 'renew' }>): ActVerdict {
  switch (action.type) {
    case 'cancel':
      return write({ ...spec, cancel: { requested: true, by: action.by, ...noted(action.note) } });
    case 'decide':
      return spec.decision
        ? refused(
            'IllegalMove',
            'a decision cannot be changed; cancel the contract instead',
            'Cancel the contract.',
          )
        : write({ ...spec, decision: { verdict: action.verdict, ...noted(action.note) } });
    case 'changeKeys':
      return write({ ...spec, sshPublicKeys: [...action.sshPublicKeys] });
    case 'power':
      return write({ ...spec, powerState: action.powerState });
    case 'restart':
      return write({ ...spec, restart: spec.restart + 1 });
    case 'resetPassword':
      return write({ ...spec, passwordReset: spec.passwordReset + 1 });
    case 'reinstall':
      return reinstall(spec, action);
    case 'retry':
      return write({ ...spec, retry: action.count ?? spec.retry + 1 });
    case 'pause':
      return write({
        ...spec,
        pause: { requested: true, ...(action.reason ? { reason: action.reason } : {}) },
      });
    case 'resume':
      return write({ ...spec, pause: { requested: false } });
  }
}

function renew(contract: Contract, { autoRenew }: Action & { type: 'renew' }): ActVerdict {
  const { autoRenew: old, ...rest } = contract.spec;
  const spec = autoRenew ? { ...rest, autoRenew } : rest;
  const refusal = sameRenewal(old, autoRenew) ? undefined : refusalOfRenewal({ ...contract, spec });
  return refusal ? refused('ValidationFailed', refusal.message, refusal.next) : write(spec);
}

function reinstall(spec: ContractSpec, action: Action & { type: 'reinstall' }): ActVerdict {
  const { instanceConfig = spec.instanceConfig } = action;
  const refusal = refusalOfConfig(instanceConfig, spec.termsSnapshot?.instanceConfigSchema);
  if (refusal)
    return {
      ...{ outcome: 'Refused', code: 'InstanceConfigInvalid', message: refusal.message },
      next: 'Correct instanceConfig and send it again; the terms of the contract say what is allowed.',
      errors: fieldsOf(refusal),
    };
  return write({ ...spec, ...(instanceConfig ? { instanceConfig } : {}), reinstall: spec.reinstall + 1 });
}

function extend(contract: Contract, { hours, price, agreed }: Action & { type: 'extend' }): ActVerdict {
  const { spec } = contract;
  const durationHours = hoursOf(contract);
  if (durationHours === undefined || spec.durationHours === undefined)
    return refused(
      'IllegalMove',
      'the contract has no duration yet',
      'Wait until the operator has seen it, a second or two.',
    );
  const wanted = durationHours + hours;
  const tooLong = refusalOfTotal(contract, wanted);
  const left = hoursLeft(contract, durationHours);
  if (tooLong)
    return refused(
      'ValidationFailed',
      tooLong,
      left === 0
        ? 'It has all the hours of its terms: rent another one.'
        : `Extend it by ${counted(left, 'hour')} at most, or rent another one.`,
    );
  if (wanted < spec.durationHours)
    return refused(
      'IllegalMove',
      `durationHours only rises: it is ${spec.durationHours}, not ${wanted}`,
      `Extend it by ${counted(spec.durationHours - durationHours, 'hour')}: as many were asked for before, at another price.`,
    );
  const refusal = price && refusalOfHours(contract, { price, agreed });
  if (refusal)
    return { outcome: 'Refused', ...refusal, next: PRICE_NEXT, data: { price, agreed: agreed ?? null } };
  return write({ ...withAgreed(contract, price), durationHours: wanted });
}

/** Where the terms hold, what YAML agreed to instead is of no use, and the API server would refuse the hours for it. */
function withAgreed(contract: Contract, price: PriceValue | undefined): ContractSpec {
  const { agreedPrice, ...spec } = contract.spec;
  if (isPricedAnew(contract) && price) return { ...spec, agreedPrice: price };
  const isVain = refusalOfAgreedPrice(contract.spec) !== undefined;
  return isVain ? spec : contract.spec;
}

const write = (spec: ContractSpec): ActVerdict => ({ outcome: 'Write', spec });
const refused = (code: ProblemCode, message: string, next: string): ActVerdict => ({
  outcome: 'Refused',
  code,
  message,
  next,
});
const noted = (note: string | undefined): { note?: string } => (note ? { note } : {});
const sameKeys = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((key, index) => key === b[index]);
