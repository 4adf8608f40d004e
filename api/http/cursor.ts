/** Cursors of lists: opaque to clients, a few words inside. A cursor that was tampered with is refused, not obeyed. */
import type { FastifyRequest } from 'fastify';
import { Problem } from '../../crds/problem.ts';

export const encodeCursor = (words: readonly string[]): string =>
  Buffer.from(words.join('\n')).toString('base64url');

/** Exactly `count` words. Throws Problem ValidationFailed. */
export function decodeCursor(cursor: string, count: number): string[] {
  const words = Buffer.from(cursor, 'base64url').toString().split('\n');
  if (words.length === count && encodeCursor(words) === cursor) return words;
  throw badCursor();
}

export const badCursor = (): Problem =>
  new Problem('ValidationFailed', 'query parameter cursor: this is no cursor of ours', {
    next: 'Take the address of the next page from the Link header as it is.',
    extra: { errors: [{ field: 'cursor', message: 'must come from a Link header' }] },
  });

/** RFC 8288: the same request with another cursor. Relative, because a proxy may know us by another name. */
export function nextLink(request: FastifyRequest, cursor: string): string {
  const url = new URL(request.url, 'http://relative');
  url.searchParams.set('cursor', cursor);
  return `<${url.pathname}${url.search}>; rel="next"`;
}
