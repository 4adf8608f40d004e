/**
 * Who may claim when. The first choice may at once, the second one head start later, then two more, four more,
 * and so on: a thousand agents are through after eleven, so nobody that is slow or dead holds work up.
 */
import { HEAD_START_MS } from './numbers.ts';
import type { Placement } from './place.ts';

/**
 * The instant from which on the agent may claim, in milliseconds since 1970; undefined when it is no candidate.
 * `waitingSinceMs`: since when it could be claimed at all (`waiting.ts`), or, where the caller remembers it, since
 * when there has been a candidate: only then do the turns count for room that was made later.
 */
export function mayClaimAt(
  { candidates, notBeforeMs = 0 }: Placement,
  {
    agentUID,
    waitingSinceMs,
    headStartMs = HEAD_START_MS,
  }: Readonly<{ agentUID: string; waitingSinceMs: number; headStartMs?: number | undefined }>,
): number | undefined {
  const candidate = candidates.find((entry) => entry.agentUID === agentUID);
  if (!candidate) return undefined;
  const fromMs = Math.max(waitingSinceMs, notBeforeMs, candidate.earliestMs);
  return fromMs + stepsBefore(candidate.turn) * headStartMs;
}

/** 0, 1, 2, 2, 3, 3, 3, 3, 4, … */
const stepsBefore = (turn: number): number => 32 - Math.clz32(turn);
