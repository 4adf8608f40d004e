/** A tenant's contracts by page, from the cache of what lives and from the archive. */
import type { ContractPhase } from '../../crds/contract/phase.ts';
import type { ArchivePosition } from '../../store/archive.ts';
import type { Deps } from '../deps.ts';
import { badCursor, decodeCursor, encodeCursor } from '../http/cursor.ts';
import type { Found } from './find.ts';
import { type Frontier, pageOver } from './page.ts';

type Query = Readonly<{
  tenant: string;
  limit: number;
  cursor?: string | undefined;
  phase?: ContractPhase | undefined;
}>;

export type ListedPage = Readonly<{ found: readonly Found[]; next: string | undefined }>;

/** Throws Problem StoreUnavailable only for a page that has nothing that lives: that is always shown. */
export async function listContracts(deps: Deps, query: Query): Promise<ListedPage> {
  const { tenant, limit, phase, cursor } = query;
  const sources = {
    live: deps.caches.contracts.ofTenant(tenant),
    matches: ({ status }: Found['contract']) =>
      phase === undefined || (status?.phase ?? 'Requested') === phase,
    archived: async (before: ArchivePosition | undefined, rows: number) => {
      const page = { tenantKey: tenant, limit: rows, before, phase };
      return (await deps.store.archive.listByTenant(page)).map(({ contract }) => contract);
    },
  };
  const { found, next } = await pageOver(sources, { from: readCursor(cursor), limit });
  return { found, next: next && writeCursor(next) };
}

const writeCursor = ({ live, archive }: Frontier): string =>
  encodeCursor([live, archive].flatMap((place) => [place?.createdAt ?? '', place?.uid ?? '']));

function readCursor(cursor: string | undefined): Frontier {
  if (cursor === undefined) return { live: undefined, archive: undefined };
  const [liveAt = '', liveUid = '', archiveAt = '', archiveUid = ''] = decodeCursor(cursor, 4);
  return { live: readPlace(liveAt, liveUid), archive: readPlace(archiveAt, archiveUid) };
}

function readPlace(createdAt: string, uid: string): ArchivePosition | undefined {
  if (createdAt === '' && uid === '') return undefined;
  if (Number.isNaN(Date.parse(createdAt)) || !/^[0-9a-f-]{36}$/.test(uid)) throw badCursor();
  return { createdAt, uid };
}
