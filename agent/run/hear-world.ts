/**
 * An older etcd was put back, and a facade says so by a higher generation: everything that was granted or ordered
 * is dropped, unsaid, and the machines stay. Dropped first, then the generation is on disk, then a listing is sent:
 * a crash in between drops again. Source: docs/contract.md, 12.
 */
import { EMPTY_BOOK } from '../../crds/contract/orphans.ts';
import { remember } from '../state/world.ts';
import type { Context } from './context.ts';
import type { Jobs } from './jobs.ts';

type Deps = Readonly<{ context: Pick<Context, 'store' | 'log'>; jobs: Pick<Jobs, 'drop'> }>;
type Said = Readonly<{ generation?: number | undefined; heard?: string | undefined }>;

/** Whether the generation rose: then a listing is due. */
export function hearWorld({ context, jobs }: Deps, said: Said): boolean {
  const { store, log } = context;
  const before = store.world();
  const after = remember(before, said);
  if (after === before) return false;
  const hasRisen = after.generation > before.generation;
  if (hasRisen) {
    log.warn(
      { from: before.generation, to: after.generation },
      'the cluster was restored from a backup: grants and orders are dropped, machines stay',
    );
    jobs.drop();
    store.setOrphans(EMPTY_BOOK); // a day of quarantine in another world is none in this one
  }
  store.setWorld(after);
  return hasRisen;
}
