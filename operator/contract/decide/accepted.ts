/** Accepted: waits for an agent, until it is cancelled, tried too often, or out of time. */
import { configurationRefusers } from '../../../crds/contract/failed-before.ts';
import { type FailureReason, failureMessage } from '../../../crds/contract/give-up.ts';
import {
  ATTEMPTS_MAX,
  CAPACITY_RELEASES_MAX,
  CONFIGURATION_REFUSERS_MAX,
  TAKEOVER_HEAD_START_MS,
} from '../../../crds/contract/numbers.ts';
import type { ContractStatus } from '../../../crds/contract/status.ts';
import { end, endPhaseOf, terminate } from '../../../crds/contract/steps.ts';
import { endWish } from '../../../crds/contract/wishes.ts';
import { type Decision, decided, type LiveFacts, untilMs } from '../facts.ts';
import { UNFIT, waitingForConfig } from './config.ts';
import { settleDebts } from './debts.ts';
import { explainWaiting } from './waiting.ts';

type Said = Readonly<{ reason: string; message: string; now: Date }>;

export function decideAccepted(facts: LiveFacts): Decision {
  const { contract, now } = facts;
  const { status } = contract;
  const wish = endWish(contract);
  if (wish) return giveUp(status, { said: { ...wish, now }, cancelled: true });
  const reason = whyGiveUp(facts);
  if (reason)
    return giveUp(status, {
      said: { reason, message: failureMessage(reason, status), now },
      cancelled: false,
    });
  const unfit = waitingForConfig(facts);
  if (unfit)
    return settleDebts(
      facts,
      decided(unfit, { requeueAfterMs: unfit.reason === UNFIT ? nextLookMs(status, now) : 0 }),
    );
  const waiting = explainWaiting(facts);
  const looks = [waiting.nextMs, nextLookMs(status, now)].filter((ms) => ms !== undefined);
  const requeueAfterMs = looks.length > 0 ? Math.min(...looks) : undefined;
  return settleDebts(facts, decided(waiting.status, { after: waiting.after, requeueAfterMs }));
}

/** The retry budget is used up, the time is, or nobody who could be asked would do better. */
function whyGiveUp({ contract: { status }, outlook, now }: LiveFacts): FailureReason | undefined {
  if ((status.failures ?? 0) >= ATTEMPTS_MAX) return 'AttemptsExhausted';
  if ((status.capacityReleases ?? 0) >= CAPACITY_RELEASES_MAX) return 'NoCapacity';
  const refusers = configurationRefusers(status).length;
  // One agent may itself be set up wrongly; two, or the only one there is, are believed.
  if (refusers >= CONFIGURATION_REFUSERS_MAX || (refusers > 0 && !outlook.hasHope))
    return 'ConfigurationRefused';
  if (status.provisionBy && untilMs(status.provisionBy, now) === 0) return 'DeadlineExceeded';
  return undefined;
}

/** Ends at once when nobody may have a machine, else through Terminating. */
function giveUp(
  status: ContractStatus,
  { said, cancelled }: Readonly<{ said: Said; cancelled: boolean }>,
): Decision {
  if ((status.holders ?? []).length > 0) return decided(terminate(status, said));
  return decided(end(status, { to: endPhaseOf(said.reason, cancelled), ...said }));
}

function nextLookMs(status: ContractStatus, now: Date): number | undefined {
  const instants = [status.provisionBy, status.nextAttemptAt].filter((instant) => instant !== undefined);
  const last = status.attempts?.at(-1);
  if (last?.outcome === 'Expired')
    instants.push(new Date(Date.parse(last.endedAt) + TAKEOVER_HEAD_START_MS).toISOString());
  const waits = instants.map((instant) => untilMs(instant, now)).filter((ms) => ms > 0);
  return waits.length === 0 ? undefined : Math.min(...waits);
}
