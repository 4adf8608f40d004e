/** Setup tokens are kept for 7 days after use or expiry, so that a mistake can be explained; then they go. */
import type { SetupToken } from '../../crds/setup-token.ts';

const KEPT_MS = 7 * 24 * 3_600_000;

export type TokenDecision = Readonly<{ outcome: 'Delete' } | { outcome: 'Keep'; requeueAfterMs: number }>;

export function decideToken({ spec, status }: SetupToken, now: Date): TokenDecision {
  const overAt = Math.min(
    Date.parse(spec.expiresAt),
    status?.usedAt ? Date.parse(status.usedAt) : Number.POSITIVE_INFINITY,
  );
  const leftMs = overAt + KEPT_MS - now.getTime();
  return leftMs <= 0 ? { outcome: 'Delete' } : { outcome: 'Keep', requeueAfterMs: leftMs };
}
