/** Fields that the bodies of agents share. */
import { z } from 'zod';
import { count } from '../fields.ts';

/** Nanoseconds since 1970, beyond what a JavaScript integer holds exactly: the last digits are rounded. */
export const nanoseconds = () => z.number().min(0);

export const epoch = () => count(Number.MAX_SAFE_INTEGER);
export const Session = z
  .string()
  .min(8)
  .max(64)
  .regex(/^[A-Za-z0-9_-]+$/);
export const contractId = () => z.string().regex(/^[0-9a-f]{32}$/);

/** What the agent heard last of how far the world had got; a facade signed it. */
export const heard = () =>
  z
    .string()
    .max(128)
    .regex(/^[0-9]+\.[0-9]+\.[A-Za-z0-9_-]+$/);
/** Came with the grant: nobody can claim an epoch that was never granted. */
export const proof = () =>
  z
    .string()
    .max(64)
    .regex(/^[A-Za-z0-9_-]+$/);
export const generation = () => count(Number.MAX_SAFE_INTEGER);

/** Continue: go on. Destroy: this epoch can never become valid again; destroy what it built. */
export const Then = z.enum(['Continue', 'Destroy']);
export type Then = z.infer<typeof Then>;
