/** The heartbeat: that an agent is there, what it is and has; the answer tells it what is planned for it. */
import { z } from 'zod';
import { count, instant, name, text, word } from '../fields.ts';
import { HEALTH_MESSAGE_MAX, healthReason } from '../unhealthy.ts';
import { generation, heard, Session } from './agent-fields.ts';
import { Promised } from './amounts.ts';

export const HostResources = z.strictObject({
  cpuModel: text(200).nullish().describe('Name of the CPU.'),
  cpuCores: count(100_000).optional().describe('Physical cores.'),
  cpuThreads: count(100_000).optional().describe('Logical CPUs.'),
  cpuMhz: count(100_000).nullish().describe('Clock.'),
  memoryTotalMb: count(Number.MAX_SAFE_INTEGER).optional().describe('Memory of the host. MiB.'),
  memoryAvailableMb: count(Number.MAX_SAFE_INTEGER).optional().describe('Free memory. MiB.'),
  storagePools: z
    .array(
      z.strictObject({
        name: text(100).describe('Name.'),
        totalGb: count(Number.MAX_SAFE_INTEGER).describe('GiB.'),
        availableGb: count(Number.MAX_SAFE_INTEGER).describe('GiB.'),
        storageType: text(64).optional().describe('Kind.'),
      }),
    )
    .max(64)
    .optional()
    .describe('Disks.'),
  gpuDevices: z
    .array(
      z.strictObject({
        pciId: text(64).describe('PCI id.'),
        name: text(200).describe('Name.'),
        vendor: text(100).describe('Vendor.'),
        memoryMb: count(Number.MAX_SAFE_INTEGER).nullish().describe('MiB.'),
      }),
    )
    .max(64)
    .optional()
    .describe('GPUs.'),
  gpus: count(64).optional().describe('Whole GPUs for machines; counted in gpuDevices when absent.'),
  instances: count(10_000).optional().describe('Machines that it can run at a time.'),
  storageClasses: z
    .array(word())
    .max(64)
    .optional()
    .describe('Kinds of disk, beside the storageType of each of storagePools.'),
  templates: z
    .array(z.strictObject({ vmid: count(4_294_967_295), name: text(200) }))
    .max(256)
    .optional()
    .describe('Templates.'),
});

const Unhealthy = z.strictObject({
  reason: healthReason().describe('What is wrong, as a word.'),
  message: text(HEALTH_MESSAGE_MAX).describe('The same as a sentence for its provider, with what helps.'),
});

export const HeartbeatRequest = z.strictObject({
  version: text(64).describe('Version of dc-agent.'),
  provisionerType: text(32).describe('What it builds with.'),
  session: Session.optional().describe('Random id of this process.'),
  incarnation: count(Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('Raised on disk at each start of the agent.'),
  fingerprint: text(128)
    .optional()
    .describe('Hash of machine id and boot id: another one is a clone, not a restart.'),
  capabilities: z.array(text(64)).max(64).nullish().describe('Named features.'),
  activeContracts: z.int().min(-1_000_000).max(1_000_000).describe('Running instances.'),
  resources: HostResources.optional().describe('Size of the host.'),
  unhealthy: Unhealthy.optional().describe(
    'Why it wants no new work; said with each heartbeat while it lasts. Absent: nothing is wrong.',
  ),
  leaving: z
    .boolean()
    .optional()
    .describe('True in the last heartbeat of a graceful stop: this session is over.'),
  heard: heard().optional().describe('The highest that was heard in `heard` of an answer.'),
});
export type HeartbeatRequest = z.infer<typeof HeartbeatRequest>;

export const HeartbeatResponse = z.object({
  acknowledged: z.boolean().describe('Always true.'),
  nextHeartbeatSeconds: z.int().describe('When to send the next one. Seconds.'),
  poolId: name().describe('Its pool.'),
  poolName: text(100).describe('Name of the pool.'),
  serverTime: instant().describe("The facade's clock, to name a skew."),
  installation: z.string().describe('Id of this installation: tag of machines.'),
  agentUid: z.string().describe('UID of the Agent object: tag of machines.'),
  promised: Promised.optional().describe(
    'What its host may be promised for: as it said, by the overcommitment of its pool. Claim no more, build no more.',
  ),
  drain: z.boolean().optional().describe('It is to be emptied.'),
  upgradeToVersion: z.string().optional().describe('Version to upgrade to.'),
  generation: generation()
    .optional()
    .describe('Risen: an older etcd was put back. Drop every grant and order, then list; machines stay.'),
  heard: heard().optional().describe('Keep the highest on disk, and send it with heartbeats and claims.'),
});
export type HeartbeatResponse = z.infer<typeof HeartbeatResponse>;
