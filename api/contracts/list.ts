/** A tenant's contracts by page: what lives from the index, newest first, then what has ended from the archive. */
import type { Contract } from '../../crds/contract/contract.ts';
import type { ContractPhase } from '../../crds/contract/phase.ts';
import { Problem } from '../../crds/problem.ts';
import type { ArchivePosition } from '../../store/archive.ts';
import type { Deps } from '../deps.ts';
import { badCursor, decodeCursor, encodeCursor } from '../http/cursor.ts';
import type { Found } from './find.ts';

type Query = Readonly<{
  tenant: string;
  limit: number;
  cursor?: string | undefined;
  phase?: ContractPhase | undefined;
}>;

export type Page = Readonly<{ found: readonly Found[]; next: string | undefined }>;

type Position = Readonly<{ part: 'live' | 'archive'; after: ArchivePosition | undefined }>;

/** Throws Problem StoreUnavailable only for a page that begins in the archive: what lives is always shown. */
export async function listContracts(deps: Deps, query: Query): Promise<Page> {
  const from = query.cursor === undefined ? { part: 'live' as const, after: undefined } : read(query.cursor);
  if (from.part === 'archive') return archivePage(deps, { query, limit: query.limit, after: from.after });
  const live = liveOf(deps, query).filter((contract) => isAfter(contract, from.after));
  const shown = live.slice(0, query.limit).map((contract) => ({ contract, archived: false }));
  const last = shown.at(-1);
  if (live.length > query.limit && last)
    return { found: shown, next: cursorOf('live', positionOf(last.contract)) };
  const room = query.limit - shown.length;
  const archiveStart = cursorOf('archive', undefined);
  if (room === 0) return { found: shown, next: archiveStart };
  try {
    const rest = await archivePage(deps, { query, limit: room, after: undefined });
    return { found: [...shown, ...rest.found], next: rest.next };
  } catch (error) {
    if (error instanceof Problem && error.code === 'StoreUnavailable')
      return { found: shown, next: archiveStart };
    throw error;
  }
}

function liveOf(deps: Deps, { tenant, phase }: Query): Contract[] {
  const own = deps.caches.contracts
    .ofTenant(tenant)
    .filter(({ status }) => phase === undefined || (status?.phase ?? 'Requested') === phase);
  return [...own].sort((a, b) => compare(positionOf(b), positionOf(a)));
}

type ArchiveQuery = Readonly<{ query: Query; limit: number; after: ArchivePosition | undefined }>;

async function archivePage(deps: Deps, { query, limit, after }: ArchiveQuery): Promise<Page> {
  const { tenant: tenantKey, phase } = query;
  const rows = await deps.store.archive.listByTenant({ tenantKey, limit: limit + 1, before: after, phase });
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const found = page
    .filter(({ contract }) => deps.caches.contracts.byUid(contract.metadata.uid ?? '') === undefined)
    .map(({ contract }) => ({ contract, archived: true }));
  const more = rows.length > limit && last;
  return { found, next: more ? cursorOf('archive', positionOf(last.contract)) : undefined };
}

const positionOf = ({ metadata }: Contract): ArchivePosition => ({
  createdAt: metadata.creationTimestamp ?? '',
  uid: metadata.uid ?? '',
});

function compare(a: ArchivePosition, b: ArchivePosition): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1;
  return a.uid < b.uid ? -1 : a.uid > b.uid ? 1 : 0;
}

const isAfter = (contract: Contract, after: ArchivePosition | undefined): boolean =>
  after === undefined || compare(positionOf(contract), after) < 0;

const cursorOf = (part: Position['part'], after: ArchivePosition | undefined): string =>
  encodeCursor([part, after?.createdAt ?? '', after?.uid ?? '']);

function read(cursor: string): Position {
  const [part, createdAt = '', uid = ''] = decodeCursor(cursor, 3);
  if (part !== 'live' && part !== 'archive') throw badCursor();
  if (createdAt === '' && uid === '') return { part, after: undefined };
  if (Number.isNaN(Date.parse(createdAt)) || !/^[0-9a-f-]{36}$/.test(uid)) throw badCursor();
  return { part, after: { createdAt, uid } };
}
