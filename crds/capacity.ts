/** How much of something there is: of an agent, and of a pool. */
import { z } from 'zod';
import { count, quantity, text } from './fields.ts';
import type { PrinterColumn } from './resource.ts';

/** Sizes as Kubernetes quantities; a member that is missing is not known, or has no end. */
export const Capacity = z.object({
  cpu: quantity().optional().describe('CPUs.'),
  memory: quantity().optional().describe('Memory.'),
  storage: quantity().optional().describe('Disk.'),
  gpu: count().optional().describe('Whole GPUs.'),
  instances: count().optional().describe('Machines.'),
});
export type Capacity = z.infer<typeof Capacity>;

/** The same for the columns of a table, where nothing must not look like unknown. */
export const CapacityText = z.object({
  cpu: text(24).describe('CPUs, as in 71; a dash where it is not known.'),
  memory: text(24).describe('Memory, as in 212Gi; a dash where it is not known.'),
});

/** What is free, where the status has a `freeText`. */
export const FREE_COLUMNS: readonly PrinterColumn[] = [
  {
    name: 'Free CPU',
    type: 'string',
    jsonPath: '.status.freeText.cpu',
    description: 'CPUs that may still be promised.',
  },
  {
    name: 'Free Mem',
    type: 'string',
    jsonPath: '.status.freeText.memory',
    description: 'Memory that may still be promised.',
  },
];
