/** Broken rules, to show that the explorer finds what they break. Passed in; production code knows nothing of them. */
import { aHolder } from '../../crds/contract/builders.ts';
import { decided } from '../../operator/contract/facts.ts';
import { RULES, type Rules } from './rules.ts';

/** A report counts whatever epoch it names, from whoever sent it. */
export const NO_EPOCH_CHECK: Rules = {
  ...RULES,
  reportProvisioned: (contract, facts) => {
    const { epoch, holders = [] } = contract.status;
    if (facts.epoch === epoch) return RULES.reportProvisioned(contract, facts);
    const pretended = [...holders, aHolder(Number(facts.agent.uid.slice(-1)), epoch)];
    const status = { ...contract.status, holders: pretended };
    const verdict = RULES.reportProvisioned({ ...contract, status }, { ...facts, epoch });
    return verdict.outcome === 'Write' ? { ...verdict, status: { ...verdict.status, holders } } : verdict;
  },
};

/** A lock runs out a TTL after it was first seen, renewed or not. */
export const EXPIRY_IGNORES_RENEWAL: Rules = {
  ...RULES,
  lockSilentMs: (watching, contract) => {
    const { status } = contract;
    if (!status?.lock) return RULES.lockSilentMs(watching, contract);
    const lock = { ...status.lock, renewedAt: status.lock.acquiredAt };
    return RULES.lockSilentMs(watching, { ...contract, status: { ...status, lock } });
  },
};

/** A grant overwrites whatever was written since it was decided. */
export const CLAIM_WITHOUT_VERSION: Rules = {
  ...RULES,
  versionOf: (contract, call) => (call.type === 'Claim' ? undefined : RULES.versionOf(contract, call)),
};

/** What is to be cleaned up is looked at, and left as it is. */
export const NEVER_ENDS: Rules = {
  ...RULES,
  decide: (facts) => {
    const { status } = facts.contract;
    return status?.phase === 'Terminating' ? decided(status) : RULES.decide(facts);
  },
};
