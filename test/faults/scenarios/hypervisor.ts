/** What goes wrong on a hypervisor: slow, failing, dying and lying provisioners. */
import type { ListedInstance } from '../../../agent/provisioner/provisioner.ts';
import type { Treatment } from '../ledger/behaviour.ts';
import type { HypervisorFault, Plan, PlannedFault } from '../world/plan.ts';

type Action = HypervisorFault['action'];
const on = (
  action: Action,
  treatment: HypervisorFault['treatment'],
  more: { nth?: number; times?: number; upTo?: number } = {},
): PlannedFault => ({ at: 'Hypervisor', action, treatment, ...more });
const killed = (action: Action): PlannedFault => on(action, { type: 'KillAgent' });

const failed = (kind: 'transient' | 'capacity' | 'configuration' | 'permanent'): Treatment => ({
  fail: { class: kind, leaves: 'Nothing' },
});
const HALF: Treatment = { fail: { class: 'transient', leaves: 'Half' } };
const ERROR: Treatment = { fail: { class: 'transient', message: 'no answer' } };
const HIDES_HALF: Treatment = {
  lie: (truth: readonly ListedInstance[]) => truth.filter(({ state }) => state !== 'Unknown'),
};
const EMPTY: Treatment = { lie: () => [] };
/** Beyond two renewals; hurried. */
const SLOW: Treatment = { slowMs: 60_000 };
/** A provisioner with a limit of its own. */
const TIMES_OUT: Treatment = { ...ERROR, slowMs: 50_000 };

const main = (name: string, ...faults: PlannedFault[]): Plan => ({ name, job: 'Main', faults });
const cancel = (name: string, ...faults: PlannedFault[]): Plan => ({ name, job: 'Cancel', faults });
const cancelledEarly = (name: string, ...faults: PlannedFault[]): Plan => ({
  ...main(name, { at: 'Moment', phase: 'Provisioning', deed: { type: 'Cancel' } }, ...faults),
  ends: 'Cancelled',
});
const failedInTheEnd = (name: string, ...faults: PlannedFault[]): Plan => ({
  ...main(name, ...faults),
  ends: 'Failed',
  settleWithinMs: 700_000,
});
const takeover = (name: string, ...faults: PlannedFault[]): Plan => ({
  ...main(name, ...faults),
  restartMs: 110_000,
});

export const HYPERVISOR: readonly Plan[] = [
  takeover('takeover: and half a machine that no list shows', killed('create'), hidden()),
  main('create: fails once, half a machine is left', on('create', HALF)),
  main('create: times out', on('create', TIMES_OUT)),
  main('create: no room', on('create', failed('capacity'))),
  main('create: dies when all is done', on('create', { die: 'Done' })),
  main('create: the agent is killed half-way and comes back', killed('create')),
  main('list: fails for a long time', on('list', ERROR, { upTo: 12 })),
  main(
    'list: answers that nothing is there, while the machine stands',
    on('list', EMPTY, { nth: 3, upTo: 4 }),
  ),
  main('adopt: the agent is killed in it', killed('create'), on('adopt', { type: 'KillAgent' })),
  cancel('destroy: fails three times', on('destroy', ERROR, { times: 3 })),
  cancel('destroy: the agent is killed in it', killed('destroy')),
  cancel('list: answers for ever that nothing is there', on('list', EMPTY, { nth: 3, upTo: 1000 })),
  cancel(
    'list: fails when it should confirm the absence',
    on('destroy', ERROR),
    on('list', ERROR, { nth: 6, times: 4 }),
  ),
  cancelledEarly(
    'cancelled while it builds, killed',
    on('create', SLOW),
    on('destroy', { type: 'KillAgent' }),
  ),
  cancelledEarly('cancelled, half a machine that no list shows', killed('create'), hidden()),
];

/** Close to one above, or longer: in the sweep. */
export const MORE_OF_HYPERVISOR: readonly Plan[] = [
  takeover('takeover: killed while it creates; half a machine stands', killed('create')),
  main('create: slow', on('create', SLOW)),
  main('create: fails once, nothing is left', on('create', failed('transient'))),
  failedInTheEnd('create: fails each time, half a machine is left', on('create', HALF, { upTo: 10 })),
  main('create: dies half-way', on('create', { die: 'HalfWay' })),
  main('list: fails before the build', on('list', ERROR, { nth: 2, times: 2 })),
  main('list: slow', on('list', { slowMs: 20_000 }, { upTo: 4 })),
  main('adopt: fails after a restart', killed('create'), on('adopt', ERROR)),
  cancel('destroy: slow', on('destroy', SLOW)),
  cancel('destroy: dies when all is done', on('destroy', { die: 'Done' })),
  cancelledEarly('cancelled while it builds', on('create', SLOW)),
];

function hidden(): PlannedFault {
  return on('list', HIDES_HALF, { upTo: 1000 });
}
