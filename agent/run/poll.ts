/** The long poll for work: offers become jobs, orders reach them at once. */
import type { WorkItem } from '../../crds/wire/work-list.ts';
import { assertNever } from '../../lib/assert.ts';
import { backoffMs } from '../../lib/backoff.ts';
import { ApiProblem } from '../api-client.ts';
import { messageOf } from '../failure.ts';
import type { Context } from './context.ts';
import type { Jobs } from './jobs.ts';
import type { Wishes } from './wishes.ts';

const WAIT_MAX_SECONDS = 25;
const BACKOFF = { firstMs: 500, maxMs: 15_000, factor: 2, jitter: 0.3 };
/**
 * How soon the same answer is asked for again when it gave nothing to do, e.g. offers without a free place. Anything
 * else is asked for at once: a wish of one tenant does not wait because of another's.
 */
const IDLE_MS = 1000;
/** An offer whose claim was just refused is left alone for as long. */
const REFUSED_MS = 2000;

export type PollDeps = Readonly<{
  context: Context;
  jobs: Jobs;
  wishes: Pick<Wishes, 'carryOut'>;
  mayClaim: () => boolean;
}>;

/** Until the signal is aborted. Never throws. */
export async function pollForWork(deps: PollDeps, signal: AbortSignal): Promise<void> {
  const { context } = deps;
  const triedAtMs = new Map<string, number>();
  const wait = Math.min(WAIT_MAX_SECONDS, context.limits.pollSeconds);
  let lastAnswer = '';
  for (let failures = 0; !signal.aborted; ) {
    let waitMs = 0;
    const askedMs = context.clock.monotonicMs();
    try {
      const items = await context.facade.work(wait, { signal });
      failures = 0;
      const begun = items.filter((item) => begin(deps, { item, triedAtMs }));
      const answer = items.map((item) => JSON.stringify({ ...item, contract: undefined })).join();
      const isSameInVain = items.length > 0 && begun.length === 0 && answer === lastAnswer;
      if (isSameInVain) waitMs = Math.max(0, askedMs + IDLE_MS - context.clock.monotonicMs());
      lastAnswer = answer;
    } catch (error) {
      if (signal.aborted) return;
      waitMs = backoffMs(failures++, BACKOFF);
      const next = error instanceof ApiProblem ? error.next : undefined;
      context.log[failures > 3 ? 'error' : 'warn']({ err: messageOf(error), next, waitMs }, 'no work list');
    }
    if (waitMs > 0) await context.clock.sleep(waitMs, { signal }).catch(() => undefined);
  }
}

/** Whether anything was begun. */
function begin(
  { jobs, context, wishes, mayClaim }: PollDeps,
  { item, triedAtMs }: Readonly<{ item: WorkItem; triedAtMs: Map<string, number> }>,
): boolean {
  const { action, contractId, epoch } = item;
  switch (action) {
    case 'Destroy':
      jobs.order(contractId, epoch);
      return false; // the facade repeats it until it is confirmed
    case 'Provision': {
      const nowMs = context.clock.monotonicMs();
      for (const [id, atMs] of triedAtMs) if (nowMs - atMs >= REFUSED_MS) triedAtMs.delete(id);
      if (!mayClaim() || triedAtMs.has(contractId) || !jobs.offer(item)) return false;
      triedAtMs.set(contractId, nowMs);
      return true;
    }
    case 'Start':
    case 'Stop':
    case 'Restart':
    case 'Reinstall':
    case 'SetSshKeys':
    case 'ResetPassword':
      wishes.carryOut({ ...item, action });
      return false; // the facade repeats it until it hears that it was done
    default:
      return assertNever(action);
  }
}
