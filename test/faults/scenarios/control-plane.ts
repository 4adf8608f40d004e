/**
 * API server and etcd killed with SIGKILL and started again, in the middle of a life: a control plane of its own, of
 * which all plans are played at once.
 */
import type { ContractPhase } from '../../../crds/contract/phase.ts';
import type { ControlPlane } from '../../../dev/control-plane/run.ts';
import { openWorld, type World } from '../../world/world.ts';
import type { HypervisorFault, Plan, PlannedFault } from '../world/plan.ts';
import { play } from './play.ts';

let world: World | undefined;
let controlPlane: ControlPlane | undefined;
let killing = Promise.resolve();

/**  */
const SLOW_BUILD: HypervisorFault = { at: 'Hypervisor', action: 'create', treatment: { slowMs: 35_000 } };
/** Away for so long besides the time that it needs to start. */
const DOWN_MS = 500;

/** One kill after the other, however many plans ask at once. */
const kill = (which: 'etcd' | 'apiserver', phase: ContractPhase): PlannedFault => ({
  at: 'Moment',
  phase,
  deed: {
    type: 'Do',
    run: () => {
      killing = killing.then(() => controlPlane?.kill(which, { downMs: DOWN_MS }));
      return killing;
    },
  },
});
const main = (name: string, ...faults: PlannedFault[]): Plan => ({ name, job: 'Main', faults });
const cancel = (name: string, ...faults: PlannedFault[]): Plan => ({ name, job: 'Cancel', faults });

export const CONTROL_PLANE: readonly Plan[] = [
  main('the API server dies while one builds', SLOW_BUILD, kill('apiserver', 'Provisioning')),
  cancel('etcd dies while it ends', kill('etcd', 'Terminating')),
];

export const MORE_OF_CONTROL_PLANE: readonly Plan[] = [
  main('etcd dies before it is Active', kill('etcd', 'Provisioned')),
  cancel('the API server dies while it ends', kill('apiserver', 'Terminating')),
  main('etcd dies while all wait', kill('etcd', 'Accepted')),
];

export const playOnOwnControlPlane = (name: string, plans: readonly Plan[]): void =>
  play(name, plans, {
    atOnce: 'Together',
    prepare: async () => {
      world = await openWorld();
      controlPlane = await world.startControlPlane();
      return { kubeconfig: controlPlane.kubeconfig };
    },
    tidyUp: async () => world?.close(),
  });
