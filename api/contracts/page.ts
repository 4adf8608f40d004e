/**
 * One page over two sources, newest first: what lives, and the archive. A contract keeps its place (creation, uid)
 * when it moves from one to the other, and pages go by place alone, so none is missed or shown twice, whatever is
 * archived and removed between two pages. What lives is read first: it is archived before it is removed.
 */
import type { Contract } from '../../crds/contract/contract.ts';
import { Problem } from '../../crds/problem.ts';
import type { ArchivePosition } from '../../store/archive.ts';
import type { Found } from './find.ts';

/** Behind which place each source goes on. They differ only after the archive could not be read. */
export type Frontier = Readonly<{
  live: ArchivePosition | undefined;
  archive: ArchivePosition | undefined;
}>;

export type Sources = Readonly<{
  /** All of the tenant, in any order. */
  live: readonly Contract[];
  matches: (contract: Contract) => boolean;
  /** At most `limit` that match, newest first. Throws Problem StoreUnavailable. */
  archived: (after: ArchivePosition | undefined, limit: number) => Promise<readonly Contract[]>;
}>;

export type Page = Readonly<{ found: readonly Found[]; next: Frontier | undefined }>;

/**
 * Without the archive the page has what lives, and the next one tries the archive from where it was left; what was
 * shown alive and removed meanwhile may then come again. Throws StoreUnavailable when it would have nothing at all.
 */
export async function pageOver(
  sources: Sources,
  { from, limit }: Readonly<{ from: Frontier; limit: number }>,
): Promise<Page> {
  const isLive = new Set(sources.live.map(({ metadata }) => metadata.uid));
  const living = sources.live
    .filter((contract) => sources.matches(contract) && isBehind(contract, from.live))
    .sort((a, b) => newestFirst(placeOf(a), placeOf(b)));
  const archive = archiveReader(sources, { after: from.archive, batch: limit + 1, isLive });
  const found: Found[] = [];
  while (found.length <= limit) {
    const ended = await archive.peek();
    const [alive] = living;
    const isAliveNext = alive && (!ended || newestFirst(placeOf(alive), placeOf(ended)) < 0);
    const next = isAliveNext ? living.shift() : archive.take();
    if (!next) break;
    found.push({ contract: next, archived: !isAliveNext });
  }
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  if (archive.problem && !last) throw archive.problem;
  const place = last && placeOf(last.contract);
  if (archive.problem) return { found: shown, next: { live: place, archive: from.archive } };
  return { found: shown, next: found.length > limit ? { live: place, archive: place } : undefined };
}

type Reading = Readonly<{
  after: ArchivePosition | undefined;
  batch: number;
  isLive: ReadonlySet<string | undefined>;
}>;

/** The archive row by row, without what is alive too. */
function archiveReader({ archived }: Sources, { after, batch, isLive }: Reading) {
  const rows: Contract[] = [];
  let behind = after;
  let isAtEnd = false;
  const reader = {
    /** Why it could not be read; it then looks as if it were at its end. */
    problem: undefined as Problem | undefined,
    peek: async (): Promise<Contract | undefined> => {
      while (rows.length === 0 && !isAtEnd) await refill();
      return rows[0];
    },
    take: (): Contract | undefined => rows.shift(),
  };
  const refill = async (): Promise<void> => {
    try {
      const read = await archived(behind, batch);
      const last = read.at(-1);
      isAtEnd = read.length < batch;
      behind = last ? placeOf(last) : behind;
      rows.push(...read.filter(({ metadata }) => !isLive.has(metadata.uid)));
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'StoreUnavailable') throw error;
      reader.problem = error;
      isAtEnd = true;
    }
  };
  return reader;
}

export const placeOf = ({ metadata }: Contract): ArchivePosition => ({
  createdAt: metadata.creationTimestamp ?? '',
  uid: metadata.uid ?? '',
});

function newestFirst(a: ArchivePosition, b: ArchivePosition): number {
  if (a.createdAt !== b.createdAt) return a.createdAt > b.createdAt ? -1 : 1;
  return a.uid > b.uid ? -1 : a.uid < b.uid ? 1 : 0;
}

const isBehind = (contract: Contract, place: ArchivePosition | undefined): boolean =>
  place === undefined || newestFirst(place, placeOf(contract)) < 0;
