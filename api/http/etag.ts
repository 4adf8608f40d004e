/** ETags are resourceVersions: what was read is what `If-Match` lets one change. */
import { z } from 'zod';
import { Problem } from '../../crds/problem.ts';
import type { ObjectMeta } from '../../crds/resource.ts';

export const IfMatchHeaders = z.object({
  'if-match': z
    .string()
    .max(100)
    .optional()
    .describe('ETag that was read; refused when it has changed since.'),
});

export const etagOf = ({ metadata }: Readonly<{ metadata: ObjectMeta }>): string =>
  `"${metadata.resourceVersion ?? ''}"`;

/** Throws Problem PreconditionFailed. `*` matches whatever is there. */
export function checkIfMatch(object: Readonly<{ metadata: ObjectMeta }>, ifMatch: string | undefined): void {
  if (ifMatch === undefined || ifMatch.trim() === '*' || ifMatch.trim() === etagOf(object)) return;
  throw new Problem('PreconditionFailed', `${object.metadata.name} was changed since it was read.`, {
    next: 'Read it again, look at the change, and send the new ETag.',
  });
}
