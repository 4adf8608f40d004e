/** Sizes as numbers, as crds/placement reckons: agent and facade must not round in two ways. */
import { z } from 'zod';

const amount = () => z.number().min(0);

/** What one machine takes. */
export const Wanted = z.object({
  cpuMilli: amount().describe('CPU. Thousandths.'),
  memoryBytes: amount().describe('Memory. Bytes.'),
  storageBytes: amount().describe('Disk. Bytes.'),
  gpus: amount().describe('Whole GPUs.'),
  instances: amount().describe('Machines: 1.'),
});

/** What a host may be promised for in all; what is left out is not limited. */
export const Promised = z.object({
  cpuMilli: amount().optional().describe('CPU. Thousandths.'),
  memoryBytes: amount().optional().describe('Memory. Bytes.'),
  storageBytes: amount().optional().describe('Disk. Bytes.'),
  gpus: amount().optional().describe('Whole GPUs.'),
  instances: amount().optional().describe('Machines.'),
});
export type Promised = z.infer<typeof Promised>;
