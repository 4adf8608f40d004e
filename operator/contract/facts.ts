/** What a decision about one contract is made from, and what it can say. Plain data: no clients, no clocks. */
import type { Contract, LiveContract } from '../../crds/contract/contract.ts';
import type { TermsSnapshot } from '../../crds/contract/spec.ts';
import type { Abandoned, ContractStatus, Holder } from '../../crds/contract/status.ts';
import type { Offering } from '../../crds/offering.ts';
import type { SchedulingReason } from '../../crds/placement/explain.ts';
import type { Provider } from '../../crds/provider.ts';
import type { Hosts } from './hosts.ts';
import type { Outlook } from './outlook.ts';

export type Facts = Readonly<{
  contract: Contract;
  /** The offering in the contract's namespace; undefined when there is none by that name. */
  offering: Offering | undefined;
  /** The terms that offering and provider would give now, for a contract that has none yet. */
  terms: TermsSnapshot | undefined;
  /** The Provider that owns the namespace; undefined when none does or it is not Ready. */
  provider: Provider | undefined;
  /** Worked out only for phases that wait for somebody; else nobody. */
  outlook: Outlook;
  /** What is the matter with the agents that hold it; nothing when left out. */
  hosts?: Hosts | undefined;
  /** How long the operator has seen no renewal of the present lock, by its own clock; 0 without a lock. */
  lockSilentMs: number;
  /** How long a provider may retry what failed; FAILED_GRACE_MS when left out. */
  failedGraceMs?: number | undefined;
  /** How long what has ended stays in the cluster; RETENTION_MS when left out. */
  retentionMs?: number | undefined;
  /** False until this leader has compared etcd with PostgreSQL: what ends or forgets is held back. */
  isWorldCertain?: boolean | undefined;
  now: Date;
}>;

export type LiveFacts = Facts & Readonly<{ contract: LiveContract }>;

/** An effect outside the contract. Each is idempotent: decided again after a crash, it may run again. */
export type Action =
  | Readonly<{ type: 'ReserveStock' }>
  | Readonly<{ type: 'ReleaseStock' }>
  /** Forced: not on a revoked Agent, which will never pay. */
  | Readonly<{ type: 'RecordDebt'; holder: Holder; how: Abandoned['how'] }>
  | Readonly<{ type: 'RecordInstance' }>
  /** Once a wait, whoever decides it how often: nobody could build it for a while. */
  | Readonly<{ type: 'TellStuck'; reason: SchedulingReason; message: string; since: string }>
  | Readonly<{ type: 'Archive' }>
  | Readonly<{ type: 'RemoveFinalizer' }>
  | Readonly<{ type: 'Delete' }>;

/** What the main resource needs before the first status: a finalizer, the terms, the duration. */
export type Preparation = Readonly<{ termsSnapshot?: TermsSnapshot; durationHours?: number }>;

export type Decision = Readonly<{
  /** Written first, with PUT of the main resource; undefined when it is as it should be. */
  prepare?: Preparation | undefined;
  /** Effects that must have happened before the status says so. */
  before: readonly Action[];
  /** The whole next status; undefined: nothing can be said yet. */
  status: ContractStatus | undefined;
  /** Effects after the status was written. */
  after: readonly Action[];
  /** When to look again at the latest; undefined: only an event can change the answer. */
  requeueAfterMs?: number | undefined;
}>;

export const decided = (status: ContractStatus, more: Partial<Omit<Decision, 'status'>> = {}): Decision => ({
  before: [],
  after: [],
  ...more,
  status,
});

/** Milliseconds from now until an instant; never negative. */
export const untilMs = (instant: string, now: Date): number =>
  Math.max(0, Date.parse(instant) - now.getTime());
