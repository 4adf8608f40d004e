/**
 * What is said of an `instanceConfig` that was changed after its contract was accepted, and is not what the terms allow.
 * Nothing is built or re-installed with it (the facade offers it to nobody); what runs goes on as it is.
 */
import { withCondition } from '../../../crds/condition.ts';
import type { LiveContract } from '../../../crds/contract/contract.ts';
import type { ContractStatus } from '../../../crds/contract/status.ts';
import { type ConfigRefusal, refusalOfConfig } from '../../../crds/instance-config/check.ts';
import type { LiveFacts } from '../facts.ts';
import { saidAtFirst } from './waiting.ts';

const CONDITION = 'InstanceConfigValid';
export const UNFIT = 'InstanceConfigInvalid';

const refusalOf = ({ spec }: LiveContract): ConfigRefusal | undefined =>
  refusalOfConfig(spec.instanceConfig, spec.termsSnapshot?.instanceConfigSchema);

/** Accepted: why it waits, until it is mended; undefined when there is nothing to say of it. */
export function waitingForConfig({ contract, outlook, now }: LiveFacts): ContractStatus | undefined {
  const refused = refusalOf(contract);
  if (!refused && contract.status.reason !== UNFIT) return undefined;
  const said = refused
    ? { reason: UNFIT, message: refused.message }
    : saidAtFirst({ outlook, now }, contract.status);
  return { ...withConfigJudged({ contract, now }), ...said };
}

/** The condition is there once there was something to say. */
export function withConfigJudged({ contract, now }: Pick<LiveFacts, 'contract' | 'now'>): ContractStatus {
  const { status } = contract;
  const refused = refusalOf(contract);
  if (!refused && !status.conditions?.some(({ type }) => type === CONDITION)) return status;
  const next = refused
    ? ({ type: CONDITION, status: 'False', reason: UNFIT, message: refused.message } as const)
    : ({ type: CONDITION, status: 'True', reason: 'Allowed', message: 'The terms allow it' } as const);
  return { ...status, conditions: withCondition(status.conditions, { next, now }) };
}
