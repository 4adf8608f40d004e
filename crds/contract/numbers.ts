/** The defaults of docs/contract.md, "Numbers". Milliseconds unless the name says otherwise. */

export const HEARTBEAT_MS = 15_000;
/** An agent is online while its Lease is younger; a superseded process must have been silent for as long. */
export const ONLINE_WITHIN_MS = 45_000;
export const ATTEMPTS_MAX = 3;
export const CAPACITY_RELEASES_MAX = 10;
/** Waiting time before the second and the third attempt. */
export const ATTEMPT_GAPS_MS = [60_000, 300_000] as const;
/** After an agent had no room it is not asked again at once. */
export const CAPACITY_GAP_MS = 15_000;
/** Who gives a contract back so often lets others go first, and from then on there is a pause each time. */
export const GIVEN_BACK_MAX = 2;
export const OVERALL_DEADLINE_MS = 60 * 60_000;
/**
 * Who has held the lock for as long and reported nothing has failed the attempt, where another agent could try: whoever
 * comes next has as much. A host that installs on bare metal takes 10 to 30 minutes, and says nothing until then.
 */
export const ATTEMPT_DEADLINE_MS = OVERALL_DEADLINE_MS / 2;
/** So long a fallback pool may be held back: whoever is asked last still has as long as an attempt may take. */
export const FALLBACK_AFTER_MAX_MS = OVERALL_DEADLINE_MS - ATTEMPT_DEADLINE_MS;
export const VERIFICATION_DEADLINE_MS = 5 * 60_000;
/** After an expiry the agent that held goes first for this long, while its Lease is fresh. */
export const TAKEOVER_HEAD_START_MS = 30_000;
/** After a failure agents that have not failed go first for this long. */
export const FAILED_BEFORE_HEAD_START_MS = 30_000;
/** A holder that stays silent for as long becomes a debt of its Agent. */
export const DEBT_AFTER_MS = 24 * 3_600_000;
/** A machine of no contract is left alone while it is younger. */
export const ORPHAN_MIN_AGE_MS = 15 * 60_000;
/** A request that nobody decides on expires. */
export const REQUEST_DEADLINE_MS = 7 * 24 * 3_600_000;
/** So long a provider may retry what failed; then it is archived. */
export const FAILED_GRACE_MS = 24 * 3_600_000;
/** So many agents must find the configuration wrong before nobody else is asked. */
export const CONFIGURATION_REFUSERS_MAX = 2;
export const RETENTION_MS = 30 * 24 * 3_600_000;
export const HOUR_MS = 3_600_000;
