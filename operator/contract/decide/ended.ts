/**
 * Ended: stock given back, then into the archive, and out of the cluster after the retention time. What failed is
 * archived only after a time of grace, in which its provider may retry it.
 */
import { withCondition } from '../../../crds/condition.ts';
import { FAILED_GRACE_MS, RETENTION_MS } from '../../../crds/contract/numbers.ts';
import { isArchived, wantsRetry } from '../../../crds/contract/retry.ts';
import { endWish } from '../../../crds/contract/wishes.ts';
import { FINALIZER } from '../../../crds/group.ts';
import type { Action, Decision, LiveFacts } from '../facts.ts';
import { decided } from '../facts.ts';
import { decideRetry } from './retry.ts';

export function decideEnded(facts: LiveFacts): Decision {
  const { contract, retentionMs = RETENTION_MS, now } = facts;
  const { status, metadata } = contract;
  const giveBack = unitToGiveBack(facts);
  if (metadata.deletionTimestamp) {
    const release: Action[] = metadata.finalizers?.includes(FINALIZER) ? [{ type: 'RemoveFinalizer' }] : [];
    const archive: Action[] = isArchived(contract) ? [] : [{ type: 'Archive' }];
    return decided(status, { after: [...giveBack, ...archive, ...release] });
  }
  const endedMs = Date.parse(status.history?.at(-1)?.at ?? now.toISOString());
  const leftMs = endedMs + retentionMs - now.getTime();
  if (!isArchived(contract)) {
    const graceMs = graceLeftMs(facts, endedMs);
    if (graceMs > 0 && wantsRetry(contract)) return decideRetry(facts, { leftMs: graceMs });
    if (graceMs > 0) return decided(status, { after: giveBack, requeueAfterMs: graceMs });
    return archive(facts, { giveBack, leftMs });
  }
  if (leftMs <= 0) return decided(status, { after: [...giveBack, { type: 'Delete' }] });
  return decided(status, { after: giveBack, requeueAfterMs: leftMs });
}

function archive(
  { contract: { status }, now }: LiveFacts,
  { giveBack, leftMs }: Readonly<{ giveBack: readonly Action[]; leftMs: number }>,
): Decision {
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

function unitToGiveBack({ contract: { metadata }, offering }: LiveFacts): readonly Action[] {
  const hasUnit = offering?.status?.reserved?.includes(metadata.uid ?? '') ?? false;
  return hasUnit ? [{ type: 'ReleaseStock' }] : [];
}

/** How long it may still be retried. Milliseconds; not above 0 when it may not. */
function graceLeftMs({ contract, failedGraceMs, now }: LiveFacts, endedMs: number): number {
  if (contract.status.phase !== 'Failed' || endWish(contract)) return 0;
  return endedMs + (failedGraceMs ?? FAILED_GRACE_MS) - now.getTime();
}
