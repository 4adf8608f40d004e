/**
 * What a rule decides about a call. The caller only carries it out: a `Write` is one PUT of `/status` on the
 * resourceVersion that was read, and on a conflict it reads live and asks the rule again. What is `final`
 * makes somebody destroy, stop or confirm: it counts only when decided on an object from a live GET, because
 * no compare-and-swap protects an answer that writes nothing.
 */
import type { ProblemCode } from '../problem.ts';
import type { ContractStatus } from './status.ts';

export type Refusal = Readonly<{
  outcome: 'Refused';
  code: ProblemCode;
  message: string;
  next: string;
  data?: unknown;
  final: boolean;
}>;

export type Verdict<A> =
  | Readonly<{ outcome: 'Write'; status: ContractStatus; answer: A }>
  | Readonly<{ outcome: 'Answer'; answer: A; final: boolean }>
  | Refusal;

/** The agent that calls; the facade has already checked its session against the heartbeat Lease. */
export type Claimant = Readonly<{
  name: string;
  uid: string;
  poolName: string;
  session?: string | undefined;
}>;
