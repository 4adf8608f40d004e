/** A plan from a seed: the same seed, the same plan. Its faults name places, so it meets them again on any machine. */
import fc from 'fast-check';
import type { ContractPhase } from '../../../crds/contract/phase.ts';
import type { Treatment } from '../ledger/behaviour.ts';
import type { CallFault } from '../proxy/agent.ts';
import type { Fault } from '../proxy/api-server.ts';
import type { Route } from '../proxy/facade-call.ts';
import type {
  ApiServerFault,
  Deed,
  FacadeFault,
  HypervisorFault,
  Plan,
  PlannedFault,
} from '../world/plan.ts';

const API_SERVER_PLACES: readonly Pick<ApiServerFault, 'from' | 'verb' | 'resource' | 'subresource'>[] = [
  { from: 'facade', verb: 'create', resource: 'contracts' },
  { from: 'facade', verb: 'update', resource: 'contracts' },
  { from: 'facade', verb: 'get', resource: 'contracts' },
  { from: 'facade', verb: 'update', resource: 'contracts', subresource: 'status' },
  { from: 'facade', verb: 'create', resource: 'leases' },
  { from: 'facade', verb: 'update', resource: 'leases' },
  { from: 'operator', verb: 'update', resource: 'contracts' },
  { from: 'operator', verb: 'update', resource: 'contracts', subresource: 'status' },
  { from: 'operator', verb: 'update', resource: 'agents', subresource: 'status' },
];
const API_SERVER_FAULTS: readonly Fault[] = [
  { type: 'Refuse' },
  { type: 'LoseReply' },
  { type: 'Delay', ms: 3000 },
  { type: 'Delay', ms: 45_000 },
  ...[409, 500, 503, 504].map((status): Fault => ({ type: 'Answer', status })),
  { type: 'Answer', status: 429, headers: { 'retry-after': '2' } },
  { type: 'AnswerAfterCommit', status: 500 },
  { type: 'AnswerAfterCommit', status: 504 },
];
const ROUTES: readonly Route[] = [
  'heartbeat',
  'work',
  'claim',
  'renew',
  'release',
  'provisioned',
  'failed',
  'terminated',
  'reconcile',
  'rent',
  'cancel',
];
const CALL_FAULTS: readonly FacadeFault['fault'][] = [
  ...(['LoseRequest', 'LoseReply'] as const).map((type): CallFault => ({ type })),
  { type: 'Delay', ms: 5000 },
  { type: 'Delay', ms: 45_000 },
  { type: 'Duplicate', afterMs: 0 },
  { type: 'Duplicate', afterMs: 20_000 },
  { type: 'Answer', status: 502 },
  { type: 'KillAgent', when: 'Before' },
  { type: 'KillAgent', when: 'After' },
];
const TREATMENTS: readonly (Treatment | { type: 'KillAgent' })[] = [
  { slowMs: 30_000 },
  { slowMs: 60_000 },
  { fail: { class: 'transient', leaves: 'Half' } },
  { fail: { class: 'transient', leaves: 'Nothing' } },
  { die: 'HalfWay' },
  { die: 'Done' },
  { type: 'KillAgent' },
];
const PHASES: readonly ContractPhase[] = ['Accepted', 'Provisioning', 'Provisioned', 'Active', 'Terminating'];
const DEEDS: readonly Deed[] = [
  { type: 'KillHolder' },
  { type: 'KillOperator' },
  { type: 'RestartOperator' },
  { type: 'KillFacade' },
  { type: 'RestartFacade' },
  ...(['Cut', 'Stall', 'Gone'] as const).map((how): Deed => ({ type: 'BreakWatches', how })),
  { type: 'StallLeader', ms: 30_000 },
  { type: 'Postgres', how: 'Cut', ms: 15_000 },
  { type: 'Postgres', how: 'Freeze', ms: 15_000 },
];

const which = fc.record({ nth: fc.integer({ min: 1, max: 4 }), upTo: fc.integer({ min: 1, max: 3 }) });

const apiServerFault: fc.Arbitrary<ApiServerFault> = fc
  .tuple(fc.constantFrom(...API_SERVER_PLACES), fc.constantFrom(...API_SERVER_FAULTS), which)
  .map(([place, fault, more]) => ({ at: 'ApiServer', ...place, ...more, fault }));
const facadeFault: fc.Arbitrary<FacadeFault> = fc
  .tuple(fc.constantFrom(...ROUTES), fc.constantFrom(...CALL_FAULTS), which)
  .map(([route, fault, { nth, upTo }]) => ({
    at: 'Facade',
    route,
    fault,
    nth,
    upTo: fault.type === 'KillAgent' ? 1 : upTo,
  }));
const hypervisorFault: fc.Arbitrary<HypervisorFault> = fc
  .tuple(
    fc.constantFrom('create', 'adopt', 'destroy', 'list', 'stop'),
    fc.constantFrom(...TREATMENTS),
    fc.integer({ min: 1, max: 3 }),
  )
  // Once: what fails the attempts of a contract three times may fail the contract, after minutes of waiting.
  .map(([action, treatment, nth]) => ({ at: 'Hypervisor', action, treatment, nth }));
const moment: fc.Arbitrary<PlannedFault> = fc
  .tuple(fc.constantFrom(...PHASES), fc.constantFrom(...DEEDS))
  .map(([phase, deed]) => ({ at: 'Moment', phase, deed }));

const faults = fc.array(
  fc.oneof(
    { arbitrary: apiServerFault, weight: 4 },
    { arbitrary: facadeFault, weight: 4 },
    { arbitrary: hypervisorFault, weight: 2 },
    { arbitrary: moment, weight: 1 },
  ),
  { minLength: 1, maxLength: 5 },
);
const job = fc.constantFrom('Main', 'Cancel', 'Accepted', 'Provisioning', 'Provisioned');
const restartMs = fc.constantFrom(5_000, 20_000, 60_000, 110_000);

/** Three attempts with their gaps, and a process that was superseded. */
const SETTLE_WITHIN_MS = 1_000_000;

export function randomPlan(seed: number): Plan {
  const [drawn] = fc.sample(fc.record({ job, faults, restartMs }), { seed, numRuns: 1 });
  if (!drawn) throw new Error('nothing was drawn');
  const common = {
    name: `seed ${seed}`,
    isRandom: true,
    settleWithinMs: SETTLE_WITHIN_MS,
    restartMs: drawn.restartMs,
  };
  if (drawn.job === 'Main' || drawn.job === 'Cancel')
    return { ...common, job: drawn.job, faults: drawn.faults };
  // Cancelled as soon as it is seen there; an order that passed that phase unseen is not cancelled.
  const cancel: PlannedFault = { at: 'Moment', phase: drawn.job, deed: { type: 'Cancel' } };
  return { ...common, job: 'Main', ends: 'Cancelled', faults: [cancel, ...drawn.faults] };
}
