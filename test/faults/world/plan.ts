/**
 * A scenario as data: what the market does, and what goes wrong meanwhile. A fault names its place by what happens
 * there (the second renewal, the first write of a status by the operator), so that it does not depend on how fast
 * the machine is.
 */
import type { ContractPhase } from '../../../crds/contract/phase.ts';
import type { HypervisorCall, Treatment } from '../ledger/behaviour.ts';
import type { CallFault } from '../proxy/agent.ts';
import type { Fault } from '../proxy/api-server.ts';
import type { Verb } from '../proxy/exchange.ts';
import type { Route } from '../proxy/facade-call.ts';
import type { WatchBreak } from '../proxy/watch-pipe.ts';

/**
 * Which of the matching requests: the n-th (from 1) and as many from there; the first alone when nothing is said.
 * All of `times` must come to pass; of `upTo` one at least.
 */
type Which = Readonly<{ nth?: number; times?: number; upTo?: number }>;

/** A request of operator or facade to the API server; lists and watches are those of all plans on the stage. */
export type ApiServerFault = Which &
  Readonly<{
    at: 'ApiServer';
    from: 'operator' | 'facade';
    verb: Verb;
    resource: string;
    subresource?: string;
    fault: Fault;
  }>;

/**
 * A request of an agent, or of the tenant, to a facade. Kill: the agent that sent it, before or after its effect, or
 * while it is on its way, where it arrives late.
 */
export type FacadeFault = Which &
  Readonly<{
    at: 'Facade';
    route: Route;
    fault:
      | CallFault
      | Readonly<{ type: 'KillAgent'; when: 'Before' | 'After' }>
      | Readonly<{ type: 'KillAgent'; when: 'OnTheWay'; arrivesMs: number }>;
  }>;

/** A call of the provisioner. Kill: the agent, when the call has begun. */
export type HypervisorFault = Which &
  Readonly<{
    at: 'Hypervisor';
    action: HypervisorCall['action'];
    treatment: Treatment | Readonly<{ type: 'KillAgent' }>;
  }>;

/** When the contract is first seen in this phase. */
export type MomentFault = Readonly<{ at: 'Moment'; phase: ContractPhase; deed: Deed }>;

export type Deed = Readonly<
  | { type: 'Cancel' }
  /** SIGKILL; started again at once. */
  | { type: 'KillOperator' | 'KillFacade' }
  /** SIGTERM; started again when it has stopped. */
  | { type: 'RestartOperator' | 'RestartFacade' }
  | { type: 'BreakWatches'; how: WatchBreak; resource?: string }
  /** PostgreSQL is away for so long. */
  | { type: 'Postgres'; how: 'Cut' | 'Freeze'; ms: number }
  /** SIGKILL for the agent that has the lock; it comes again after `restartMs`. */
  | { type: 'KillHolder' }
  /** Anything else that the test can do to its world. */
  | { type: 'Do'; run: () => Promise<void> }
  /** What the leading operator sends to the API server is held back for so long. */
  | { type: 'StallLeader'; ms: number }
>;

export type PlannedFault = ApiServerFault | FacadeFault | HypervisorFault | MomentFault;

/**
 * Main: rent until Active. Cancel: and cancel when Active. A cancel earlier is a deed. What is killed of agents is
 * started again after `restartMs`. All milliseconds are of the stage's clock, which is ten times faster than real time
 * while the machine keeps up.
 */
export type Plan = Readonly<{
  name: string;
  job: 'Main' | 'Cancel';
  faults: readonly PlannedFault[];
  /** How the contract ends; what `job` says when absent. */
  ends?: ContractPhase;
  agents?: number;
  /** A fault need not strike, and too many of them may make it Failed, with a reason: a random plan. */
  isRandom?: boolean;
  /** How long it may take to come to rest; default 400 s. */
  settleWithinMs?: number;
  /** After how long a killed agent is started again; default 20 s. */
  restartMs?: number;
}>;
