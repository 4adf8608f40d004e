/** The defaults of placement. Milliseconds unless the name says otherwise. */

/** How long the first choice may claim alone; then the second, then twice as many each time. */
export const HEAD_START_MS = 3_000;
/** A failure lowers the score of its agent for as long. */
export const FAILURE_WEIGHS_MS = 30 * 60_000;
/** What one recent failure takes off a score of 0 to 100, and what all of them take at most. */
export const FAILURE_COST = 15;
export const FAILURES_COST_MAX = 60;
/** So many tenants whose contracts failed in a row on one agent open its breaker. */
export const BREAKER_RUN = 3;
/** A failure that is older is no part of a run: an agent that is rarely asked must not collect them for weeks. */
export const RUN_WITHIN_MS = 24 * 3_600_000;
/** How long the breaker stays open; each further failure doubles it. */
export const BREAKER_OPEN_MS = 15 * 60_000;
export const BREAKER_OPEN_MAX_MS = 2 * 3_600_000;
/** So many contracts an agent may have locked without having reported a machine of them; a person takes hours for each. */
export const BUILDS_PER_AGENT = 8;
export const BUILDS_PER_PERSON = 64;
export const EXAMPLES_MAX = 16;
