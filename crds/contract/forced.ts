/** What is made of a wish to release by force (`force-release.ts`): how it is added, and which holders go by it. */
import type { ActVerdict } from './act.ts';
import type { Contract } from './contract.ts';
import { FORCE_RELEASE_SENTENCE, FORCED_MAX, type ForceRelease } from './force-release.ts';
import { isHolder, sameGrant } from './move.ts';
import type { ContractSpec } from './spec.ts';
import type { ContractStatus, Holder } from './status.ts';

/** Whether this entry may be given up by force: the same rule as for the API server. */
const mayBeForced = (status: ContractStatus, grant: Pick<Holder, 'agentUID' | 'epoch'>): boolean =>
  isHolder(status, grant) && (status.phase === 'Terminating' || grant.epoch < status.epoch);

/** The holders that are to go now, each with the wish. */
export const forcedHolders = (
  spec: Pick<ContractSpec, 'forceRelease'>,
  status: ContractStatus,
): readonly Readonly<{ holder: Holder; wish: ForceRelease }>[] =>
  (status.holders ?? []).flatMap((holder) => {
    const wish = spec.forceRelease?.find((entry) => sameGrant(entry, holder));
    return wish && mayBeForced(status, holder) ? [{ holder, wish }] : [];
  });

/** The wish on the spec, as somebody asks for it. Asked twice it is there once, in the first one's words. */
export function addForceRelease({ spec, status }: Contract, wish: ForceRelease): ActVerdict {
  const there = spec.forceRelease ?? [];
  if (there.some((entry) => sameGrant(entry, wish))) return { outcome: 'Unchanged' };
  if (!status || !mayBeForced(status, wish))
    return {
      outcome: 'Refused',
      code: 'IllegalMove',
      message: FORCE_RELEASE_SENTENCE,
      next: 'Look at its holders; cancel the contract first if it is still to end.',
    };
  if (there.length >= FORCED_MAX)
    return {
      outcome: 'Refused',
      code: 'IllegalMove',
      message: `${FORCED_MAX} holders of this contract were released by force already`,
      next: 'Wait until the others confirm, or become debts of their agents after 24 hours.',
    };
  return { outcome: 'Write', spec: { ...spec, forceRelease: [...there, wish] } };
}
