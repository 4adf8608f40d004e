/** Whether an agent is there, by its heartbeat Lease; and for a moment after it spoke, before its Lease is seen. */
import { SESSION_ANNOTATIONS } from '../../crds/agent-session.ts';
import { ONLINE_WITHIN_MS } from '../../crds/contract/numbers.ts';
import type { AgentFacts } from '../../crds/placement/agent-facts.ts';
import type { Lease } from '../clients.ts';

export type Presence = Readonly<{
  presence: AgentFacts['presence'];
  /** When it is another one although nothing happens. */
  untilMs: number;
}>;

/** A watch is rarely later: who asks is there, although its heartbeat went to another facade. */
export const HEARD_FOR_MS = 2_000;

export function presenceOf(
  lease: Lease | undefined,
  { nowMs, heardMs = 0 }: Readonly<{ nowMs: number; heardMs?: number | undefined }>,
): Presence {
  const { metadata, spec } = lease ?? {};
  const said = metadata?.annotations ?? {};
  if (said[SESSION_ANNOTATIONS.duplicateSince]) return { presence: 'Duplicate', untilMs: NEVER };
  const hasLeft = said[SESSION_ANNOTATIONS.left] === 'true';
  const renewedMs = spec?.renewTime === undefined || hasLeft ? 0 : Date.parse(spec.renewTime);
  const untilMs = Math.max(renewedMs + ONLINE_WITHIN_MS, heardMs + HEARD_FOR_MS);
  return nowMs < untilMs ? { presence: 'Online', untilMs } : { presence: 'Offline', untilMs: NEVER };
}

const NEVER = Number.POSITIVE_INFINITY;
