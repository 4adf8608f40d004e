/** What its provider may change of a pool, and reads of it: fields of `AgentPool.spec`, with the limits from there. */
import { z } from 'zod';
import { AgentPoolSpec, FALLBACKS_MAX, Overcommit, PoolUpgrade } from '../agent-pool.ts';
import { MaintenanceWindow } from '../maintenance.ts';

const { displayName, priority, fallbackPools, lockTTLSeconds, minVersion, paused } = AgentPoolSpec.shape;
const { strategy, instancesPerAgent, buildsPerAgent } = AgentPoolSpec.shape.placement.unwrap().shape;
const FallbackPool = z.strictObject(fallbackPools.unwrap().element.shape);

/** A field that always has a value: it can be changed, and not be taken away. */
const always = <T extends z.ZodType>(field: z.ZodDefault<T>) => told(field.unwrap(), field);
const told = <T extends z.ZodType>(as: T, { description = '' }: Readonly<{ description?: string }>) =>
  as.describe(description);

/** What is left out stays; null takes it away. Location and type are for life; maintenance has a route of its own. */
export const UpdatePoolRequest = z
  .strictObject({
    displayName: told(displayName.unwrap().min(1), displayName).optional(),
    paused: always(paused).optional(),
    priority: always(priority).optional(),
    fallbackPools: told(z.array(FallbackPool).max(FALLBACKS_MAX), fallbackPools).nullable().optional(),
    lockTTLSeconds: always(lockTTLSeconds).optional(),
    strategy: always(strategy).optional(),
    instancesPerAgent: told(instancesPerAgent.unwrap(), instancesPerAgent).nullable().optional(),
    buildsPerAgent: told(buildsPerAgent.unwrap(), buildsPerAgent).nullable().optional(),
    overcommit: z.strictObject(Overcommit.shape).nullable().optional(),
    minVersion: told(minVersion.unwrap(), minVersion).nullable().optional(),
    upgrade: z.strictObject(PoolUpgrade.shape).nullable().optional(),
  })
  .refine((body) => Object.keys(body).length > 0, { message: 'name at least one thing to change' });
export type UpdatePoolRequest = z.infer<typeof UpdatePoolRequest>;

export const PoolSettings = z.object({
  paused: always(paused),
  priority: always(priority),
  fallbackPools: told(z.array(FallbackPool), fallbackPools),
  lockTTLSeconds: always(lockTTLSeconds),
  strategy: always(strategy),
  instancesPerAgent: told(instancesPerAgent.unwrap().nullable(), instancesPerAgent),
  buildsPerAgent: told(buildsPerAgent.unwrap().nullable(), buildsPerAgent),
  overcommit: told(Overcommit.nullable(), Overcommit),
  minVersion: told(minVersion.unwrap().nullable(), minVersion),
  upgrade: told(PoolUpgrade.nullable(), PoolUpgrade),
  maintenance: z.array(MaintenanceWindow).describe('When nothing new is built in it.'),
});
export type PoolSettings = z.infer<typeof PoolSettings>;
