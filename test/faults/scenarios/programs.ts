/**
 * Programs that are killed or stopped, watches that break, PostgreSQL that goes away: they strike all plans on the
 * stage at once, each when its own plan has come to a certain phase.
 */
import type { ContractPhase } from '../../../crds/contract/phase.ts';
import type { Fault } from '../proxy/api-server.ts';
import type { Deed, HypervisorFault, Plan, PlannedFault } from '../world/plan.ts';

const at = (phase: ContractPhase, deed: Deed): PlannedFault => ({ at: 'Moment', phase, deed });
const main = (name: string, ...faults: PlannedFault[]): Plan => ({ name, job: 'Main', faults });
const cancel = (name: string, ...faults: PlannedFault[]): Plan => ({ name, job: 'Cancel', faults });
const cancelled = (name: string, phase: ContractPhase, ...faults: PlannedFault[]): Plan => ({
  ...main(name, at(phase, { type: 'Cancel' }), ...faults),
  ends: 'Cancelled',
});
/**  */
const SLOW_BUILD: HypervisorFault = { at: 'Hypervisor', action: 'create', treatment: { slowMs: 35_000 } };
/** What the next watch or list of the operator's contracts meets. */
const then = (verb: 'watch' | 'list', fault: Fault): PlannedFault => ({
  at: 'ApiServer',
  from: 'operator',
  verb,
  resource: 'contracts',
  fault,
});
const broken = (how: 'Cut' | 'Stall' | 'Gone'): Deed => ({ type: 'BreakWatches', how });

export const PROGRAMS: readonly Plan[] = [
  main('operator killed while one builds', SLOW_BUILD, at('Provisioning', { type: 'KillOperator' })),
  main('facade killed while one builds', SLOW_BUILD, at('Provisioning', { type: 'KillFacade' })),
  cancel('facade killed while it ends', at('Terminating', { type: 'KillFacade' })),
  main('holder killed: another takes over', SLOW_BUILD, at('Provisioning', { type: 'KillHolder' })),
  cancelled('cancelled before anybody claims', 'Accepted'),
  main('all watches stall while one builds', SLOW_BUILD, at('Provisioning', broken('Stall'))),
  main('410 in all streams while one builds', SLOW_BUILD, at('Provisioning', broken('Gone'))),
  cancel('all watches stall while it ends', at('Terminating', broken('Stall'))),
  main(
    '410 when a watch is opened',
    at('Accepted', broken('Cut')),
    then('watch', { type: 'Answer', status: 410 }),
  ),
  main('a stale list after 410', at('Provisioning', broken('Gone')), then('list', { type: 'StaleList' })),
  main('a stale list when the leader compares etcd with PostgreSQL', then('list', { type: 'StaleList' })),
  main(
    'a watch that is cut after each event',
    at('Accepted', broken('Cut')),
    then('watch', { type: 'Watch', after: 1, then: 'Cut' }),
  ),
  main('a watch that is late', at('Accepted', broken('Cut')), then('watch', { type: 'WatchLag', ms: 8000 })),
  main('the leader is killed, another stands by', SLOW_BUILD, at('Provisioning', { type: 'KillOperator' })),
  main('the leader stalls past its lease', at('Accepted', { type: 'StallLeader', ms: 40_000 })),
  main(
    'PostgreSQL is down when it is built',
    at('Provisioning', { type: 'Postgres', how: 'Cut', ms: 15_000 }),
  ),
  cancel('PostgreSQL is down at the end', at('Terminating', { type: 'Postgres', how: 'Cut', ms: 20_000 })),
  cancel(
    'PostgreSQL says nothing at the end',
    at('Terminating', { type: 'Postgres', how: 'Freeze', ms: 20_000 }),
  ),
];

/** Close to one above: in the sweep. */
export const MORE_OF_PROGRAMS: readonly Plan[] = [
  main('operator killed while it waits', at('Accepted', { type: 'KillOperator' })),
  cancel('operator killed while it ends', at('Terminating', { type: 'KillOperator' })),
  main('operator restarted before Active', at('Provisioned', { type: 'RestartOperator' })),
  main('facade restarted when all wait', at('Accepted', { type: 'RestartFacade' })),
  cancelled('cancelled before it is Active', 'Provisioned'),
  main('all watches cut while it waits', at('Accepted', broken('Cut'))),
  main(
    'the list after 410 fails',
    at('Provisioned', broken('Gone')),
    then('list', { type: 'Answer', status: 500 }),
  ),
  cancel(
    'the leader stalls past its lease at the end',
    at('Terminating', { type: 'StallLeader', ms: 40_000 }),
  ),
  main('PostgreSQL is down when it is rented', at('Accepted', { type: 'Postgres', how: 'Cut', ms: 15_000 })),
];
