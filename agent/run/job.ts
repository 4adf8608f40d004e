/**
 * Everything that is done about one contract, by one loop: gather, decide, perform, until nothing is left. What
 * must outlive the process is in the store; what is here (the lock, the last listing) is found again after a
 * crash. The loop is what serialises the steps; whoever else touches the machine takes the same mutex.
 */
import type { WorkItem } from '../../crds/wire/work-list.ts';
import { backoffMs } from '../../lib/backoff.ts';
import { ApiProblem } from '../api-client.ts';
import { messageOf } from '../failure.ts';
import { drop, heed } from '../state/record.ts';
import { wantedBy } from '../state/size.ts';
import type { Context } from './context.ts';
import { decideJob, type JobFacts, type Step } from './decide-job.ts';
import { perform } from './perform.ts';
import type { JobDeps, Memory } from './performing.ts';

const BACKOFF = { firstMs: 1000, maxMs: 60_000, factor: 2, jitter: 0.3 };

/** Why a running step is broken off: what it works on was given up. */
export class GivenUp extends Error {
  override readonly name = 'GivenUp';
}

export type Job = Readonly<{
  contractId: string;
  /** The machine of exactly this epoch must go; a step that works on it is broken off. */
  order: (epoch: number) => void;
  /** Everything that was granted or ordered is dropped, unsaid. */
  drop: () => void;
  /** Look again now instead of waiting on. */
  wake: () => void;
  /** Resolves when nothing is left to do (true), or it cannot go on now. Never rejects. */
  done: Promise<boolean>;
}>;

export function startJob(deps: JobDeps, contractId: string, offer?: WorkItem): Job {
  const { context } = deps;
  const memory: Memory = {
    contractId,
    offer,
    lock: undefined,
    machines: undefined,
    isFull: false,
    verified: undefined,
    listingsFailed: 0,
  };
  let step = new AbortController();
  let wakeUp = new AbortController();
  const wake = (): void => wakeUp.abort();
  const breakOff = (): void => {
    step.abort(new GivenUp('the contract was given up'));
    wake();
  };
  const orderEpoch = (epoch: number): void => {
    const before = context.store.get(contractId);
    const after = context.store.change(contractId, (record) => heed(record, epoch));
    if (after === before) return; // heard before: it is no reason to hurry
    if (before.grant && !after.grant) {
      memory.lock?.end();
      memory.lock = undefined;
      breakOff();
    } else wake();
  };
  const dropAll = (): void => {
    context.store.change(contractId, drop);
    memory.offer = undefined;
    memory.lock?.end();
    memory.lock = undefined;
    breakOff();
  };
  /** Answers at once when an order came since the last pause. Rejects when the agent stops. */
  const pause = async (ms: number): Promise<void> => {
    const until = AbortSignal.any([wakeUp.signal, context.stopping]);
    try {
      await context.clock.sleep(ms, { signal: until });
    } catch (error) {
      context.stopping.throwIfAborted();
      if (!wakeUp.signal.aborted) throw error;
    } finally {
      wakeUp = new AbortController();
    }
  };

  const loop = async (): Promise<boolean> => {
    for (let failures = 0; !context.halted.aborted; ) {
      const next = decideJob(gather(deps, memory));
      if (next.type === 'Done') return noteDone(context, memory, next);
      step = new AbortController();
      const signal = AbortSignal.any([step.signal, context.halted]);
      try {
        await perform({ ...deps, memory, signal, orderEpoch, pause }, next);
        failures = 0;
      } catch (error) {
        if (context.halted.aborted) return false;
        if (step.signal.aborted) continue; // given up: what is to be done now stands in the record
        context.stopping.throwIfAborted();
        const waitMs = waitFor(error, failures++);
        const fields = { contract: contractId, step: next.type, err: messageOf(error), waitMs };
        const isExpected = error instanceof ApiProblem && error.code === 'AbsenceNotYetCertain';
        const level = isExpected ? 'debug' : failures > 3 ? 'error' : 'warn';
        context.log[level](fields, 'step failed, trying again');
        await pause(waitMs);
      }
    }
    return false;
  };
  const done = loop()
    .catch((error: unknown) => {
      if (!context.stopping.aborted) context.log.error({ contract: contractId, err: error }, 'job ended');
      return false;
    })
    .finally(() => memory.lock?.end());
  return { contractId, order: orderEpoch, drop: dropAll, wake, done };
}

function gather({ context, hasRoom }: JobDeps, memory: Memory): JobFacts {
  const record = context.store.get(memory.contractId);
  const { lock } = memory;
  const { grant } = record;
  // What stands is counted already, and is finished whatever else there is.
  const stands = memory.machines?.some(({ epoch }) => epoch === grant?.epoch) ?? false;
  const fits = !grant || stands || hasRoom(memory.contractId, wantedBy(grant.contract));
  const isHeld = lock !== undefined && lock.epoch === grant?.epoch && lock.leftMs() > 0;
  return {
    record,
    isOffered: memory.offer !== undefined,
    isStopping: context.stopping.aborted,
    lock: isHeld ? { leftMs: lock.leftMs(), ttlMs: lock.ttlMs() } : undefined,
    machines: memory.machines,
    hasRoom: !memory.isFull && fits,
    isVerified: memory.verified !== undefined,
  };
}

/** Longer with every failure; as long as the facade asks. */
function waitFor(error: unknown, failures: number): number {
  const asked = error instanceof ApiProblem ? (error.retryAfterMs ?? 0) : 0;
  return Math.max(asked, backoffMs(failures, BACKOFF));
}

/** Whether the job is complete. */
function noteDone(
  { log }: Context,
  { contractId }: Memory,
  { because }: Extract<Step, { type: 'Done' }>,
): boolean {
  if (because === 'NewerMachine')
    log.error(
      { contract: contractId },
      'there is a machine of a newer epoch than the grant; left to reconcile',
    );
  return because === 'Settled';
}
