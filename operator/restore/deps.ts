/** What whoever looks after the world speaks to, and how long it waits. */
import type { ConfigMap } from '../../kube/config-map.ts';
import type { EventRecorder } from '../../kube/events.ts';
import type { ResourceClient } from '../../kube/resource.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Store } from '../../store/store.ts';
import type { Clients, Lease } from '../clients.ts';
import type { OperatorWorld } from './world.ts';

export type RestoreDeps = Readonly<{
  world: OperatorWorld;
  clients: Pick<Clients, 'contracts' | 'agents'>;
  leases: Pick<ResourceClient<Lease>, 'list'>;
  configMaps: ResourceClient<ConfigMap>;
  store: Pick<Store, 'restore'>;
  recorder: Pick<EventRecorder, 'record'>;
  clock: Clock;
  log: Logger;
  /** The only namespace that is seen to; undefined: all of them. */
  namespace: string | undefined;
  /** Every agent that is online has had a heartbeat in this time after the restore was noticed. Milliseconds. */
  settleMs: number;
  /** So long an agent is waited for that was merely heard since, and has nothing that is known. Milliseconds. */
  heardForMs: number;
}>;
