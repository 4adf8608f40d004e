/** What goes wrong between agents, tenants and facades, at every call of a contract's life. */
import type { CallFault } from '../proxy/agent.ts';
import type { Route } from '../proxy/facade-call.ts';
import type { FacadeFault, HypervisorFault, Plan, PlannedFault } from '../world/plan.ts';

const LOST: CallFault = { type: 'LoseRequest' };
const UNHEARD: CallFault = { type: 'LoseReply' };
const TWICE: CallFault = { type: 'Duplicate', afterMs: 0 };
/** When the next steps are through. */
const LATE_AGAIN: CallFault = { type: 'Duplicate', afterMs: 15_000 };
const BAD_GATEWAY: CallFault = { type: 'Answer', status: 502 };
/** Longer than a lock lives. */
const LATE: CallFault = { type: 'Delay', ms: 45_000 };

type Fault = FacadeFault['fault'];
const on = (
  route: Route,
  fault: Fault,
  more: { nth?: number; times?: number; upTo?: number } = {},
): PlannedFault => ({
  at: 'Facade',
  route,
  fault,
  ...more,
});
const killed = (route: Route, when: 'Before' | 'After', nth = 1): PlannedFault =>
  on(route, { type: 'KillAgent', when }, { nth });

/** Long enough for renewals.  */
const SLOW_BUILD: HypervisorFault = { at: 'Hypervisor', action: 'create', treatment: { slowMs: 35_000 } };
/** Longer than a lock lives.  */
const LONG_BUILD: HypervisorFault = {
  at: 'Hypervisor',
  action: 'create',
  treatment: { slowMs: 60_000 },
};
const FAILING_BUILD: HypervisorFault = {
  at: 'Hypervisor',
  action: 'create',
  treatment: { fail: { class: 'transient', leaves: 'Half' } },
};

const main = (name: string, ...faults: PlannedFault[]): Plan => ({ name, job: 'Main', faults });
const cancel = (name: string, ...faults: PlannedFault[]): Plan => ({ name, job: 'Cancel', faults });
/** The killed agent comes back when another has taken over. The lock, the heartbeat, and some. */
const takeover = (name: string, ...faults: PlannedFault[]): Plan => ({
  ...main(name, ...faults),
  restartMs: 110_000,
});

/** After another has taken over, and before the signature is too old. */
const ARRIVES_MS = 55_000;
const lateAndKilled = (route: Route): PlannedFault =>
  on(route, { type: 'KillAgent', when: 'OnTheWay', arrivesMs: ARRIVES_MS });

export const FACADE: readonly Plan[] = [
  takeover('takeover: the report of the killed arrives when another builds', lateAndKilled('provisioned'), {
    ...SLOW_BUILD,
    nth: 2,
  }),
  takeover('takeover: its failure arrives when another builds', FAILING_BUILD, lateAndKilled('failed'), {
    ...SLOW_BUILD,
    nth: 2,
  }),
  takeover('takeover: killed when its lock was granted, before it knew', killed('claim', 'After')),
  takeover('takeover: killed while it builds', SLOW_BUILD, killed('renew', 'After')),
  main('restart: killed before its report', killed('provisioned', 'Before')),
  main('restart: killed after its report', killed('provisioned', 'After')),
  cancel('restart: killed before it confirms the absence', killed('terminated', 'Before')),
  main('heartbeat: every reply is lost for a while', on('heartbeat', UNHEARD, { times: 6 })),
  main('work: requests and replies are lost', on('work', LOST), on('work', UNHEARD, { nth: 3, times: 2 })),
  main('claim: the reply is lost', on('claim', UNHEARD, { times: 2 })),
  main('claim: again when all is built', on('claim', LATE_AGAIN)),
  main('renewal: none gets through until the lock has run out', LONG_BUILD, on('renew', LOST, { upTo: 12 })),
  main('provisioned: the reply is lost', on('provisioned', UNHEARD, { times: 2 })),
  main('provisioned: later than the expiry', on('provisioned', LATE)),
  main('failed: the reply is lost', FAILING_BUILD, on('failed', UNHEARD)),
  cancel('terminated: the reply is lost', on('terminated', UNHEARD, { times: 2 })),
  cancel('terminated: twice', on('terminated', LATE_AGAIN)),
  main('rent: the reply is lost', on('rent', UNHEARD)),
  cancel('cancel: the reply is lost', on('cancel', UNHEARD)),
];

/** Close to one above, or longer: in the sweep. */
export const MORE_OF_FACADE: readonly Plan[] = [
  takeover('takeover: killed before its report', killed('provisioned', 'Before')),
  takeover('takeover: killed after its report', killed('provisioned', 'After')),
  main('restart: killed before its claim', killed('claim', 'Before')),
  main('restart: killed when its lock was granted', killed('claim', 'After')),
  cancel('restart: killed after it confirmed the absence', killed('terminated', 'After')),
  main('heartbeat: requests are lost', on('heartbeat', LOST, { times: 6 })),
  main('claim: the request is lost', on('claim', LOST, { times: 2 })),
  main('claim: twice at once', on('claim', TWICE)),
  main('claim: 502 from the balancer', on('claim', BAD_GATEWAY, { times: 3 })),
  main('claim: later than its own lock', on('claim', LATE)),
  main('renewal: the reply is lost', SLOW_BUILD, on('renew', UNHEARD, { times: 2 })),
  main('provisioned: the request is lost', on('provisioned', LOST, { times: 2 })),
  main('provisioned: twice', on('provisioned', LATE_AGAIN)),
  main('failed: the request is lost', FAILING_BUILD, on('failed', LOST)),
  main('failed: twice', FAILING_BUILD, on('failed', LATE_AGAIN)),
  cancel('terminated: the request is lost', on('terminated', LOST)),
  cancel(
    'reconcile: requests and replies are lost',
    on('reconcile', LOST),
    on('reconcile', UNHEARD, { nth: 2 }),
  ),
  main('rent: twice', on('rent', TWICE)),
  cancel('cancel: twice', on('cancel', TWICE)),
];
