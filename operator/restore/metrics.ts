/** Whether a restore is being resolved, as metrics: something should ring. */
import { Gauge, type Registry } from 'prom-client';
import type { OperatorWorld } from './world.ts';

export function addRestoreMetrics(
  registry: Registry,
  world: Pick<OperatorWorld, 'now' | 'isResolving'>,
): void {
  const registers = [registry];
  new Gauge({
    name: 'dcmarket_restore_resolving',
    help: '1 while an older etcd that was put back is being resolved: nothing is granted, moved or destroyed.',
    registers,
    collect() {
      this.set(world.isResolving() ? 1 : 0);
    },
  });
  new Gauge({
    name: 'dcmarket_restore_generation',
    help: 'How often an older etcd was put back.',
    registers,
    collect() {
      this.set(world.now().generation);
    },
  });
  new Gauge({
    name: 'dcmarket_restore_unclaimed_machines',
    help: 'Machines whose contract was made after the backup; each waits for a person.',
    registers,
    collect() {
      this.set(world.now().unclaimed.length);
    },
  });
}
