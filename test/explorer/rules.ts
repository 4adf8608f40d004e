/** The very functions that operator, facade and agent call. A test of the explorer passes a broken one in. */
import { judgeConfirmation, judgeRenewal, judgeReport } from '../../agent/run/decide-answer.ts';
import { decideJob } from '../../agent/run/decide-job.ts';
import { decideReconcile } from '../../agent/run/decide-reconcile.ts';
import { leftOf } from '../../agent/run/own-machines.ts';
import * as record from '../../agent/state/record.ts';
import { doomedEpochs } from '../../api/work/doomed.ts';
import { judgeSession, mayConfirmAbsence } from '../../crds/agent-session.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import { eligibility } from '../../crds/contract/eligibility.ts';
import { inherit } from '../../crds/contract/inherit.ts';
import { judgeInventory } from '../../crds/contract/inventory.ts';
import { claim, renew } from '../../crds/contract/lock.ts';
import { release } from '../../crds/contract/release.ts';
import { reportFailed, reportProvisioned, reportTerminated } from '../../crds/contract/report.ts';
import { settleStep } from '../../crds/contract/settling.ts';
import { statusToWrite } from '../../operator/contract/apply.ts';
import { decide } from '../../operator/contract/decide.ts';
import { lockSilentMs } from '../../operator/contract/gather.ts';
import type { Call } from './world.ts';

export const RULES = {
  // The facade's
  claim,
  renew,
  release,
  reportProvisioned,
  reportFailed,
  reportTerminated,
  judgeInventory,
  inherit,
  eligibility,
  doomedEpochs,
  judgeSession,
  mayConfirmAbsence,
  settleStep,
  /** The resourceVersion that the facade's write carries; undefined: a blind write. */
  versionOf: (contract: Contract, _call: Call): string | undefined => contract.metadata.resourceVersion,
  // The operator's
  decide,
  lockSilentMs,
  statusToWrite,
  // The agent's
  decideJob,
  decideReconcile,
  judgeRenewal,
  judgeReport,
  judgeConfirmation,
  leftOf,
  ...record,
};
export type Rules = typeof RULES;
