/** The answers to a call whose epoch is not the one that counts. Each says whether the machine must go. */
import type { ContractStatus } from './status.ts';
import type { Refusal, Verdict } from './verdict.ts';

type Stale = Readonly<{ epoch: number; status: ContractStatus; data?: object }>;

/** Below `status.epoch`, or not a holder: it can never become valid again. */
export const staleEpoch = ({ epoch, status, data = {} }: Stale): Refusal => ({
  outcome: 'Refused',
  code: 'StaleEpoch',
  message: `epoch ${epoch} was superseded; the contract is at epoch ${status.epoch}`,
  next: `Destroy what epoch ${epoch} built, confirm it with terminated, then poll again.`,
  data: { ...data, then: 'Destroy' },
  final: true,
});

/**
 * Above `status.epoch`: the API server may be an older world. Nothing is destroyed for that. It says the epoch that
 * was read live, which is what tells this refusal from every other failure.
 */
export const epochAhead = ({ epoch, status, data = {} }: Stale): Refusal => ({
  outcome: 'Refused',
  code: 'Conflict',
  message: `epoch ${epoch} is above the contract's ${status.epoch}`,
  next: 'Keep the machine, begin no step, and report again in a minute.',
  data: { ...data, then: 'Continue', statusEpoch: status.epoch },
  final: true,
});

/** The contract ends or has ended: 200, and the machine must go. */
export const destroy = <A extends object>(answer: A): Verdict<A & { then: 'Destroy' }> => ({
  outcome: 'Answer',
  answer: { ...answer, then: 'Destroy' },
  final: true,
});
