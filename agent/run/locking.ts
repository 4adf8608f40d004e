/** Claiming and regaining: a grant is on disk before anything is done with it, and never one that was given up. */
import type { LockResponse } from '../../crds/wire/lock.ts';
import { ApiProblem, retrying } from '../api-client.ts';
import { settle, take as takeGrant } from '../state/record.ts';
import { remember } from '../state/world.ts';
import { judgeRenewal } from './decide-answer.ts';
import { keepLock, outcomeOf } from './lock-keeper.ts';
import type { Performing } from './performing.ts';

/** The same session asked again is renewed, so a lost reply costs nothing. */
const CLAIM_BACKOFF = { firstMs: 300, maxMs: 5000, factor: 2, jitter: 0.3 };
/** Between two questions about a lock that is lost for now. */
const REGAIN_WAIT_MS = 3000;

/** One offer, one claim; a refusal ends the matter until it is offered again. */
export async function claim(job: Performing): Promise<void> {
  const { context, memory, signal } = job;
  const { offer, contractId } = memory;
  memory.offer = undefined;
  if (!offer?.contract) return;
  const contract = offer.contract;
  let sentAtMs = 0;
  const outcome = await outcomeOf(
    retrying(
      () => {
        sentAtMs = context.clock.monotonicMs();
        return context.facade.claim(
          { contractId, observedEpoch: offer.epoch, heard: context.store.world().heard },
          { signal },
        );
      },
      {
        clock: context.clock,
        signal: AbortSignal.any([signal, context.stopping]),
        backoff: CLAIM_BACKOFF,
        isPassing: (error) => !(error instanceof ApiProblem) || error.status >= 500 || error.status === 429,
      },
    ),
  );
  if ('error' in outcome) {
    const { error } = outcome;
    if (!(error instanceof ApiProblem)) throw error;
    context.log.debug({ contract: contractId, code: error.code, why: error.message }, 'claim refused');
    return;
  }
  take(job, { answer: outcome.answer, contract, sentAtMs });
}

type Taken = Readonly<{
  answer: LockResponse;
  contract: NonNullable<NonNullable<Performing['memory']['offer']>['contract']>;
  sentAtMs: number;
}>;

function take(job: Performing, { answer, contract, sentAtMs }: Taken): boolean {
  const { context, memory } = job;
  const { contractId } = memory;
  const { epoch } = answer;
  if (!answer.acquired || epoch === undefined) return false;
  const { proof, heard } = answer;
  const world = context.store.world();
  const heardNow = remember(world, { heard });
  if (heardNow !== world) context.store.setWorld(heardNow);
  const acceptedAt = context.clock.now().toISOString();
  const grant = { epoch, acceptedAt, contract, ...(proof === undefined ? {} : { proof }) };
  const after = context.store.change(contractId, (record) => takeGrant(record, grant));
  if (after.grant?.epoch !== epoch) {
    context.log.error(
      { contract: contractId, epoch, givenUp: after.givenUp },
      'granted an epoch that was given up',
    );
    return false;
  }
  memory.lock?.end();
  memory.lock = keepLock(context, {
    grant: { contractId, epoch, proof },
    answer,
    sentAtMs,
    onDestroy: () => job.orderEpoch(epoch),
  });
  memory.machines = undefined;
  memory.isFull = false;
  context.log.info({ contract: contractId, epoch, expiresInMs: answer.expiresInMs }, 'contract claimed');
  return true;
}

/**
 * The lock of `epoch` is lost: after an expiry, or because the process that had it is gone. Asks to go on with
 * it; where that is refused, claims anew; and waits where somebody else has it, until the facade says Destroy.
 */
export async function regain(job: Performing, epoch: number): Promise<void> {
  const { context, memory, signal } = job;
  const { contractId } = memory;
  const { grant } = context.store.get(contractId);
  if (!grant) return;
  const { contract } = grant;
  let sentAtMs = context.clock.monotonicMs();
  const renewal = await outcomeOf(
    context.facade.renew({ contractId, epoch, proof: grant.proof }, { signal }),
  );
  signal.throwIfAborted();
  switch (judgeRenewal(renewal)) {
    case 'Destroy':
      return job.orderEpoch(epoch);
    case 'Retry':
      if ('error' in renewal) throw renewal.error;
      return;
    case 'Extend':
      if ('answer' in renewal) take(job, { answer: { ...renewal.answer, epoch }, contract, sentAtMs });
      return;
    case 'Lapse':
      break;
  }
  if ('error' in renewal && renewal.error instanceof ApiProblem && renewal.error.code === 'NotFound') {
    // The contract is gone, and nobody waits for a report. What was built is an unknown machine: reconcile sees to it.
    context.log.warn({ contract: contractId, epoch }, 'the contract does not exist any more');
    context.store.change(contractId, settle);
    return;
  }
  sentAtMs = context.clock.monotonicMs();
  const outcome = await outcomeOf(context.facade.claim({ contractId, observedEpoch: epoch }, { signal }));
  if ('answer' in outcome && take(job, { answer: outcome.answer, contract, sentAtMs })) return;
  if ('answer' in outcome && outcome.answer.then === 'Destroy') return job.orderEpoch(epoch);
  if ('error' in outcome && !(outcome.error instanceof ApiProblem)) throw outcome.error;
  await job.pause(REGAIN_WAIT_MS);
}
