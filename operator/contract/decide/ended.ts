/** Ended: into the archive, stock given back, and out of the cluster after the retention time. */
import { isTrue, withCondition } from '../../../crds/condition.ts';
import { RETENTION_MS } from '../../../crds/contract/numbers.ts';
import { FINALIZER } from '../../../crds/group.ts';
import type { Action, Decision, LiveFacts } from '../facts.ts';
import { decided } from '../facts.ts';

export function decideEnded({ contract, offering, now }: LiveFacts): Decision {
  const { status, metadata } = contract;
  const hasUnit = offering?.status?.reserved?.includes(metadata.uid ?? '') ?? false;
  const giveBack: Action[] = hasUnit ? [{ type: 'ReleaseStock' }] : [];
  const isArchived = isTrue(status.conditions, 'Archived');
  if (metadata.deletionTimestamp) {
    const release: Action[] = metadata.finalizers?.includes(FINALIZER) ? [{ type: 'RemoveFinalizer' }] : [];
    const archive: Action[] = isArchived ? [] : [{ type: 'Archive' }];
    return decided(status, { after: [...giveBack, ...archive, ...release] });
  }
  const endedAt = status.history?.at(-1)?.at ?? now.toISOString();
  const leftMs = Date.parse(endedAt) + RETENTION_MS - now.getTime();
  if (!isArchived) {
    const next = {
      type: 'Archived',
      status: 'True',
      reason: 'Archived',
      message: 'Kept in the archive',
    } as const;
    const archived = { ...status, conditions: withCondition(status.conditions, { next, now }) };
    return decided(archived, {
      before: [...giveBack, { type: 'Archive' }], // sold again even while PostgreSQL is down
      requeueAfterMs: Math.max(0, leftMs),
    });
  }
  if (leftMs <= 0) return decided(status, { after: [...giveBack, { type: 'Delete' }] });
  return decided(status, { after: giveBack, requeueAfterMs: leftMs });
}
