/** What goes wrong between operator, facades and the API server, at every write of a contract's life. */
import type { Fault } from '../proxy/api-server.ts';
import type { HypervisorFault, Plan, PlannedFault } from '../world/plan.ts';

type Place = Readonly<{
  from: 'operator' | 'facade';
  verb: 'get' | 'create' | 'update';
  resource: string;
  subresource?: string;
}>;

/** The tenant's order arrives. */
const RENT: Place = { from: 'facade', verb: 'create', resource: 'contracts' };
/** The operator's finalizer; the tenant's cancel when it comes from a facade. */
const SPEC = (from: Place['from']): Place => ({ from, verb: 'update', resource: 'contracts' });
/** Of a facade: claim, renewals, reports. Of the operator: Accepted, Active, Terminating, the end. */
const STATUS = (from: Place['from']): Place => ({ ...SPEC(from), subresource: 'status' });
const LIVE_READ: Place = { from: 'facade', verb: 'get', resource: 'contracts' };
const LEASE: Place = { from: 'facade', verb: 'update', resource: 'leases' };

const LOST: Fault = { type: 'LoseReply' };
const REFUSED: Fault = { type: 'Refuse' };
const CONFLICT: Fault = { type: 'Answer', status: 409 };
const BUSY: Fault = { type: 'Answer', status: 429, headers: { 'retry-after': '2' } };
const DOWN: Fault = { type: 'Answer', status: 503 };
const BROKEN: Fault = { type: 'Answer', status: 500 };
const LATE_TIMEOUT: Fault = { type: 'AnswerAfterCommit', status: 504 };
const LATE_ERROR: Fault = { type: 'AnswerAfterCommit', status: 500 };
/** Longer than a lock lives. */
const SLOW: Fault = { type: 'Delay', ms: 45_000 };

const on = (place: Place, fault: Fault, more: { nth?: number; times?: number } = {}): PlannedFault => ({
  at: 'ApiServer',
  ...place,
  ...more,
  fault,
});
/** Long enough for renewals.  */
const SLOW_BUILD: HypervisorFault = { at: 'Hypervisor', action: 'create', treatment: { slowMs: 35_000 } };

const main = (name: string, ...faults: PlannedFault[]): Plan => ({ name, job: 'Main', faults });
const cancel = (name: string, ...faults: PlannedFault[]): Plan => ({ name, job: 'Cancel', faults });

export const API_SERVER: readonly Plan[] = [
  main('rent: the reply is lost', on(RENT, LOST)),
  main('rent: 504 after the commit', on(RENT, LATE_TIMEOUT)),
  main('finalizer: the reply is lost', on(SPEC('operator'), LOST)),
  main('accepted: 500 after the commit', on(STATUS('operator'), LATE_ERROR)),
  main('claim: the reply is lost', on(STATUS('facade'), LOST)),
  main('claim: 409 three times', on(STATUS('facade'), CONFLICT, { times: 3 })),
  main('claim: 429 with Retry-After', on(STATUS('facade'), BUSY)),
  main('claim: 504 after the commit', on(STATUS('facade'), LATE_TIMEOUT)),
  main('renewal: the reply is lost', SLOW_BUILD, on(STATUS('facade'), LOST, { nth: 2 })),
  main('provisioned: 500 after the commit', on(STATUS('facade'), LATE_ERROR, { nth: 2 })),
  main('provisioned: later than the expiry', on(STATUS('facade'), SLOW, { nth: 2 })),
  main('heartbeats: 500 six times', on(LEASE, BROKEN, { times: 6 })),
  cancel('cancel: the reply is lost', on(SPEC('facade'), LOST)),
  cancel('terminated: the live read fails', on(LIVE_READ, REFUSED, { times: 2 })),
  cancel('terminated: the reply is lost', on(STATUS('facade'), LOST, { nth: 3 })),
  cancel('ended: 504 after the commit', on(STATUS('operator'), LATE_TIMEOUT, { nth: 4 })),
];

/** Close to one above, or longer: in the sweep. */
export const MORE_OF_API_SERVER: readonly Plan[] = [
  main('rent: 503 before the commit', on(RENT, DOWN)),
  main('finalizer: 409', on(SPEC('operator'), CONFLICT, { times: 2 })),
  main('accepted: 429 with Retry-After', on(STATUS('operator'), BUSY)),
  main('claim: the connection is refused', on(STATUS('facade'), REFUSED, { times: 2 })),
  main('claim: 503 before the commit', on(STATUS('facade'), DOWN, { times: 2 })),
  main('claim: later than its own lock', on(STATUS('facade'), SLOW)),
  main('renewal: 500 three times', SLOW_BUILD, on(STATUS('facade'), BROKEN, { nth: 2, times: 3 })),
  main('renewal: later than the expiry', SLOW_BUILD, on(STATUS('facade'), SLOW, { nth: 2 })),
  main('provisioned: the reply is lost', on(STATUS('facade'), LOST, { nth: 2 })),
  main('provisioned: 409', on(STATUS('facade'), CONFLICT, { nth: 2, times: 2 })),
  main('active: the reply is lost', on(STATUS('operator'), LOST, { nth: 2 })),
  cancel('cancel: 409', on(SPEC('facade'), CONFLICT, { times: 2 })),
  cancel('terminating: 503', on(STATUS('operator'), DOWN, { nth: 3, times: 2 })),
];
