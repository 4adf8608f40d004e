/**
 * What the agent says of its host: what is configured, and for the rest what was measured. What it does not say is
 * not limited by the market; the agent checks itself before it builds.
 */
import type { z } from 'zod';
import type { HostResources } from '../../crds/wire/heartbeat.ts';
import type { Config } from '../config/load.ts';

export type Resources = z.infer<typeof HostResources>;

const MIB_A_GIB = 1024;
/** With these the machines run on the host of the agent; a person's, a cluster's or a cloud's stand elsewhere. */
const BUILDS_HERE: readonly string[] = ['script', 'docker'];

/** `measure` is only called where the host is to be measured. */
export function resourcesOf(
  { resources, provisioner, agent }: Pick<Config, 'resources' | 'provisioner' | 'agent'>,
  measure: () => Resources,
): Resources {
  const { cpu, memory_gb, disk_gb, gpus, storage_classes } = resources;
  const measured = isMeasured({ resources, provisioner }) ? measure() : {};
  return {
    ...measured,
    ...(cpu === undefined ? {} : { cpuThreads: cpu }),
    ...(memory_gb === undefined ? {} : { memoryTotalMb: Math.floor(memory_gb * MIB_A_GIB) }),
    ...(disk_gb === undefined ? {} : { storagePools: [configuredDisk(Math.floor(disk_gb))] }),
    ...(gpus === undefined ? {} : { gpus }),
    ...(storage_classes === undefined ? {} : { storageClasses: storage_classes }),
    ...(agent.max_instances === undefined ? {} : { instances: agent.max_instances }),
  };
}

export const isMeasured = ({ resources, provisioner }: Pick<Config, 'resources' | 'provisioner'>): boolean =>
  resources.detect ?? BUILDS_HERE.includes(provisioner.type);

const configuredDisk = (totalGb: number) => ({ name: 'configured', totalGb, availableGb: totalGb });

/** For people: `16 CPU, 64 GiB memory, 900 GiB disk, 2 GPU`; what is not limited is left out. */
export function describeResources(said: Resources): string {
  const { cpuThreads, memoryTotalMb, storagePools, gpus, gpuDevices, instances } = said;
  const disk = storagePools?.reduce((sum, { totalGb }) => sum + totalGb, 0);
  const gpuCount = gpus ?? gpuDevices?.length;
  const parts = [
    ...(cpuThreads === undefined ? [] : [`${cpuThreads} CPU`]),
    ...(memoryTotalMb === undefined ? [] : [`${Math.round(memoryTotalMb / 102.4) / 10} GiB memory`]),
    ...(disk === undefined ? [] : [`${disk} GiB disk`]),
    ...(gpuCount === undefined ? [] : [`${gpuCount} GPU`]),
    ...(instances === undefined ? [] : [`${instances} instances`]),
  ];
  return parts.length === 0 ? 'not limited' : parts.join(', ');
}
