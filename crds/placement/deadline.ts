/**
 * Until when somebody is looked for. What comes later is of no use to the contract and never promised; and who waits
 * reads the instant.
 */
import type { Contract } from '../contract/contract.ts';
import { OVERALL_DEADLINE_MS } from '../contract/numbers.ts';
import type { ContractStatus } from '../contract/status.ts';
import type { Explanation } from './explain.ts';
import { showInstant } from './sentences.ts';

/** Milliseconds since 1970; of what does not wait yet, as if it began to now. */
export const triedUntilMs = ({ status }: Contract, nowMs: number): number =>
  status?.phase === 'Accepted' && status.provisionBy
    ? Date.parse(status.provisionBy)
    : nowMs + OVERALL_DEADLINE_MS;

/** What the tenant is told of why it waits, and until when: of what is on its way the end is no concern. */
export function tenantMessageUntil(
  { reason, tenantMessage }: Pick<Explanation, 'reason' | 'tenantMessage'>,
  { provisionBy, startsAt, now }: Pick<ContractStatus, 'provisionBy' | 'startsAt'> & Readonly<{ now: Date }>,
): string {
  if (reason === 'AwaitingAgent' || !provisionBy || !tenantMessage) return tenantMessage;
  const until = showInstant(Date.parse(provisionBy), { nowMs: now.getTime() });
  return `${tenantMessage} It is tried until ${until}; then it ends${startsAt ? '' : ' and costs nothing'}.`;
}
