/** A lost race is no error: somebody wrote in between, so read again and decide again, a moment later. */
import { Problem } from '../crds/problem.ts';
import type { Reconciler } from '../kube/controller.ts';
import { isConflict } from '../kube/error.ts';

/** The cache usually has the other's write by then; if not, the next try loses again and costs little. */
const AGAIN_MS = 25;

export const again =
  (reconcile: Reconciler): Reconciler =>
  async (request) => {
    try {
      return await reconcile(request);
    } catch (error) {
      const lostRace = isConflict(error) || (error instanceof Problem && error.code === 'OutOfStock');
      if (!lostRace) throw error;
      return { requeueAfterMs: AGAIN_MS };
    }
  };
