/**
 * What the agent remembers of the world that its facades live in: the generation, and the signed word of how far it
 * had got. After an older etcd was put back this memory is the evidence. Pure. Source: docs/contract.md, 12.
 */
import { z } from 'zod';

export const WorldMemory = z.object({
  generation: z.int().min(0),
  /** `generation.resourceVersion.signature`, as a facade gave it; nobody here can make one. */
  heard: z.string().optional(),
});
export type WorldMemory = z.infer<typeof WorldMemory>;

export const FIRST_MEMORY: WorldMemory = { generation: 0 };

type Said = Readonly<{ generation?: number | undefined; heard?: string | undefined }>;

/** After an answer of a facade. The same object when it says nothing higher; a lower generation is not believed. */
export function remember(memory: WorldMemory, { generation = memory.generation, heard }: Said): WorldMemory {
  if (generation > memory.generation) return { generation, ...(heard === undefined ? {} : { heard }) };
  return heard !== undefined && isHigher(heard, memory.heard) ? { ...memory, heard } : memory;
}

function isHigher(a: string, b: string | undefined): boolean {
  if (b === undefined) return true;
  const [left, right] = [placeOf(a), placeOf(b)];
  return (
    left.generation > right.generation ||
    (left.generation === right.generation && left.version > right.version)
  );
}

function placeOf(heard: string): { generation: number; version: bigint } {
  const [generation = '0', version = '0'] = heard.split('.');
  return { generation: Number(generation), version: BigInt(version) };
}
