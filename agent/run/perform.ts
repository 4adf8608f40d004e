/**
 * The steps of a job, one function each: what they do, what they write to disk and in which order. A step that
 * throws is decided again; one that has an effect outside is written down before. contract.md, "The lock".
 */
import { assertNever } from '../../lib/assert.ts';
import { delivered, settleFailure } from '../state/record.ts';
import { adopt, create, listForBuild } from './build.ts';
import { judgeConfirmation, judgeReport } from './decide-answer.ts';
import type { Step } from './decide-job.ts';
import { outcomeOf } from './lock-keeper.ts';
import { claim, regain } from './locking.ts';
import type { Performing } from './performing.ts';
import { doomOlder, giveUp, noRoom, remove } from './removal.ts';
import { report, verify } from './report.ts';

export async function perform(job: Performing, step: Exclude<Step, { type: 'Done' }>): Promise<void> {
  switch (step.type) {
    case 'Claim':
      return claim(job);
    case 'Regain':
      return regain(job, step.epoch);
    case 'AwaitRenewal':
      return job.memory.lock?.renewed();
    case 'List':
      return listForBuild(job);
    case 'Adopt':
      return adopt(job, step);
    case 'Create':
      return create(job, step.grant);
    case 'Verify':
      return verify(job, step.grant);
    case 'Report':
      return report(job, step.grant);
    case 'Fail':
      return giveUp(job, step);
    case 'NoRoom':
      return noRoom(job, step.epoch);
    case 'DoomOlder':
      return doomOlder(job, step.epoch);
    case 'Remove':
      return remove(job, step.epoch);
    case 'ReportFailure':
      return reportFailure(job);
    case 'Deliver':
      return deliver(job, step);
    default:
      return assertNever(step);
  }
}

async function reportFailure({ context, memory, signal }: Performing): Promise<void> {
  const { contractId } = memory;
  const { failed } = context.store.get(contractId);
  if (!failed) return;
  const { epoch, proof } = failed;
  const body = { contractId, epoch, proof, errorMessage: failed.message, class: failed.class };
  const outcome = await outcomeOf(context.facade.failed(body, { signal }));
  const verdict = judgeReport(outcome);
  if (verdict === 'Retry') throw 'error' in outcome ? outcome.error : new Error('no answer');
  const then = verdict === 'Destroy' ? 'Destroy' : 'Continue';
  context.store.change(contractId, (record) => settleFailure(record, then));
  context.log.info({ contract: contractId, epoch: failed.epoch, then, ...outcome }, 'failure reported');
}

async function deliver(
  { context, memory, signal }: Performing,
  { absent }: Extract<Step, { type: 'Deliver' }>,
) {
  const { contractId } = memory;
  const grant = { contractId, epoch: absent.epoch };
  const call: Promise<unknown> =
    absent.as === 'NoRoom'
      ? context.facade.release({ ...grant, class: 'capacity' }, { signal })
      : context.facade.terminated(grant, { signal });
  const outcome = await outcomeOf(call);
  if ('error' in outcome && judgeConfirmation(outcome) === 'Retry') throw outcome.error;
  context.store.change(contractId, (record) => delivered(record, absent));
  context.log.info({ contract: contractId, epoch: absent.epoch, as: absent.as }, 'absence confirmed');
}
