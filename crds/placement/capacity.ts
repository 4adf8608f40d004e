/**
 * What a host may be promised for in all: its size, times the overcommitment of its pool. The facade and the operator
 * ask it of what the agent said, and the agent hears the answer with its heartbeat, so that all go by one figure.
 */
import type { Agent } from '../agent.ts';
import type { AgentPool } from '../agent-pool.ts';
import type { Promised } from '../wire/amounts.ts';
import { type Amounts, NO_END, numberOf } from './amounts.ts';
import { BUILDS_PER_AGENT, BUILDS_PER_PERSON } from './numbers.ts';

type Size = NonNullable<Agent['status']>['resources'];

/** Without an end where the agent says nothing: it checks itself. */
export function capacityOf(size: Size, { placement }: AgentPool['spec']): Amounts {
  const { cpu, memory, storage, gpu, instances = NO_END } = size ?? {};
  const { overcommit, instancesPerAgent = NO_END } = placement ?? {};
  const promised = (has: string | undefined, { percent = 100, unit = 1 }): number =>
    has === undefined ? NO_END : Math.floor((numberOf(has) * unit * percent) / 100);
  return {
    cpuMilli: promised(cpu, { percent: overcommit?.cpuPercent, unit: 1000 }),
    memoryBytes: promised(memory, { percent: overcommit?.memoryPercent }),
    storageBytes: promised(storage, { percent: overcommit?.storagePercent }),
    // Who says how large it is and names no GPU has none; who says nothing of itself knows better than we.
    gpus: gpu ?? (size ? 0 : NO_END),
    instances: Math.min(instances, instancesPerAgent),
  };
}

/** How many contracts one agent may have locked at a time without having reported a machine of them. */
export const buildsMaxOf = ({ placement, provisionerType }: AgentPool['spec']): number =>
  placement?.buildsPerAgent ?? (provisionerType === 'manual' ? BUILDS_PER_PERSON : BUILDS_PER_AGENT);

/** As it is sent: JSON has no number without an end. */
export const presentPromised = (capacity: Amounts): Promised =>
  Object.fromEntries(Object.entries(capacity).filter(([, amount]) => amount < NO_END));

/** As it is heard. */
export const promisedAmounts = ({
  cpuMilli = NO_END,
  memoryBytes = NO_END,
  storageBytes = NO_END,
  gpus = NO_END,
  instances = NO_END,
}: Promised): Amounts => ({ cpuMilli, memoryBytes, storageBytes, gpus, instances });
