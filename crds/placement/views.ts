/** The full answer to "why does it wait", computed on demand: everything for the provider, no names for the tenant. */
import { mayClaimAt } from './head-start.ts';
import { helpOf } from './helps.ts';
import type { Placement } from './place.ts';
import { CAUSE_OF, endsAtMs, isTooLate, type PassedOverReason } from './reasons.ts';
import { sentenceOf } from './sentences.ts';
import { tenantSentenceOf } from './tenant.ts';

export type ProviderPlacementView = Readonly<{
  /** The first choice first. */
  candidates: readonly Readonly<{ pool: string; agent: string; score: number; mayClaimAt: string }>[];
  passedOver: readonly Readonly<{
    pool: string;
    agent: string | null;
    agents?: number;
    reason: PassedOverReason;
    message: string;
    whatHelps: string | null;
    againAt: string | null;
  }>[];
  againAt: string | null;
}>;

export function providerView(
  placement: Placement,
  { waitingSinceMs }: Readonly<{ waitingSinceMs: number }>,
): ProviderPlacementView {
  const { candidates, passedOver, nowMs, untilMs } = placement;
  return {
    candidates: candidates.map(({ pool, agent, agentUID, score }) => ({
      ...{ pool, agent, score },
      mayClaimAt: instant(mayClaimAt(placement, { agentUID, waitingSinceMs }) ?? nowMs),
    })),
    passedOver: passedOver.map(({ pool, agent, agents, because }) => ({
      ...{ pool, agent: agent ?? null, reason: because.reason },
      ...(agents === undefined ? {} : { agents }),
      message: sentenceOf(because, { nowMs, untilMs }),
      whatHelps: helpOf(because, { pool, agent: agent ?? pool, nowMs, untilMs }) ?? null,
      againAt: isTooLate(because, { untilMs }) ? null : instantOrNull(endsAtMs(because)),
    })),
    againAt: againAtOf(placement),
  };
}

export type TenantPlacementView = Readonly<{
  /** Each reason once; how many machines the provider has is the provider's affair. */
  reasons: readonly Readonly<{ reason: PassedOverReason; message: string }>[];
  againAt: string | null;
}>;

export function tenantView(placement: Placement): TenantPlacementView {
  // "When you have waited a little longer" is no comfort to whom it comes too late.
  const promised = placement.passedOver.filter(
    ({ because }) => because.reason !== 'FallbackLater' || !isTooLate(because, placement),
  );
  const all = [...new Set(promised.map(({ because }) => because.reason))].sort();
  const near = all.filter((reason) => CAUSE_OF[reason] !== 'Route');
  const reasons = near.length > 0 ? near : all;
  return {
    reasons: reasons.map((reason) => ({ reason, message: tenantSentenceOf({ reason }) })),
    againAt: againAtOf(placement),
  };
}

/** Not what comes when the contract has ended. */
const againAtOf = ({ againAtMs, untilMs }: Placement): string | null =>
  instantOrNull(againAtMs !== undefined && againAtMs < untilMs ? againAtMs : undefined);

const instant = (ms: number): string => new Date(ms).toISOString();
const instantOrNull = (ms: number | undefined): string | null => (ms === undefined ? null : instant(ms));
