/** The figures of an agent that move with its work, and what the failures among it come to. */
import type { Agent, AgentHealth } from '../../crds/agent.ts';
import { freeOf, presentAmounts, tableText } from '../../crds/placement/figures.ts';
import { recordOf, standingAt } from '../../crds/placement/health.ts';
import type { Load } from '../../crds/placement/load.ts';
import { RUN_WITHIN_MS } from '../../crds/placement/numbers.ts';
import type { PreparedAgent } from '../../crds/placement/supply.ts';

type Status = NonNullable<Agent['status']>;

export type Work = Readonly<{
  load: Load;
  /** Absent where its pool is not there: then nothing of it can be promised. */
  prepared: Pick<PreparedAgent, 'capacity' | 'load'> | undefined;
  /** Made anew from its attempts; undefined: not known yet, what was written stays. */
  health: AgentHealth | undefined;
}>;

/** The same status with the figures of now. */
export function withFigures(status: Status, { load, prepared, health }: Work): Status {
  const { free: _before, freeText: _text, ...rest } = status;
  const free = prepared ? freeOf(prepared) : undefined;
  return {
    ...rest,
    allocated: presentAmounts(load.used),
    ...(free ? { free: presentAmounts(free), freeText: tableText(free) } : {}),
    ...healthIn(worthTelling(status.health, health)),
  };
}

const healthIn = (health: AgentHealth | undefined) =>
  health && Object.keys(health).length > 0 ? { health } : {};

/** While nothing failed, one more success is no news: it would cost a write for each machine that is built. */
function worthTelling(
  known: AgentHealth | undefined,
  found: AgentHealth | undefined,
): AgentHealth | undefined {
  if (!found || (known && !known.failures && !found.failures)) return known;
  return { ...lastSuccess(known), ...found };
}

/** It may be older than what is looked at. */
const lastSuccess = (known: AgentHealth | undefined): AgentHealth =>
  known?.lastSuccessAt === undefined ? {} : { lastSuccessAt: known.lastSuccessAt };

/** The condition Healthy, by its own word first, and when it or the failures that are shown change by time alone. */
export function healthCondition({ health, unhealthy }: Status, now: Date) {
  const { breaker, changesAtMs } = standingAt(recordOf(health), now.getTime());
  const oldest = health?.failures?.[0]?.at;
  const waits = [changesAtMs, oldest && Date.parse(oldest) + RUN_WITHIN_MS].filter(
    (ms) => typeof ms === 'number' && ms > now.getTime(),
  );
  const changesInMs = waits.length > 0 ? Math.min(...waits.map(Number)) - now.getTime() : undefined;
  if (unhealthy) {
    const { reason, message } = unhealthy;
    return { said: { status: 'False', reason, message } as const, changesInMs };
  }
  switch (breaker.state) {
    case 'Open': {
      const until = new Date(breaker.untilMs).toISOString();
      const message = `${breaker.failures} contracts in a row failed on it; it gets no new work until ${until}`;
      return { said: { status: 'False', reason: 'BreakerOpen', message } as const, changesInMs };
    }
    case 'HalfOpen': {
      const message = `${breaker.failures} contracts in a row failed on it; it is tried with one at a time`;
      return { said: { status: 'True', reason: 'OnTrial', message } as const, changesInMs };
    }
    case 'Closed':
      return {
        said: { status: 'True', reason: 'NoRunOfFailures', message: 'It builds what it is given' } as const,
        changesInMs,
      };
  }
}
