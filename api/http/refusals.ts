/** Refusals that several routes share, each worded once. */
import { Problem } from '../../crds/problem.ts';

export const contractGone = (): Problem =>
  new Problem('NotFound', 'There is no such contract.', {
    next: 'Check the id; GET /api/v1/contracts lists yours.',
  });

export const poolNotFound = (poolId: string): Problem =>
  new Problem('NotFound', `There is no pool ${poolId}.`, { next: 'List the pools of this provider.' });

export const agentNotFound = (key: string): Problem =>
  new Problem('NotFound', `There is no agent ${key.slice(0, 64)}.`, {
    next: 'List the agents of this provider.',
  });

export const offeringNotFound = (id: string): Problem =>
  new Problem('NotFound', `There is no offering ${id.slice(0, 200)}.`, {
    next: 'GET /api/v1/offerings lists what can be rented.',
  });

export const busy = (): Problem =>
  new Problem('Conflict', 'Somebody else changed it at the same time, several times in a row.', {
    next: 'Send the request again.',
    retryAfterSeconds: 1,
  });
