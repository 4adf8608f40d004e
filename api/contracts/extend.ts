/** Extension: what it would be is said beforehand with `dryRun`, by the same rule that then decides. */
import type { z } from 'zod';
import { type Contract, isLive } from '../../crds/contract/contract.ts';
import { endMsOf } from '../../crds/contract/term.ts';
import { costMinor } from '../../crds/price.ts';
import type { ExtendResponse } from '../../crds/wire/actions.ts';
import type { Deps } from '../deps.ts';
import { type Asked, actOn, decideAct } from './act.ts';
import { presentContract } from './present.ts';

type Extension = Asked & Readonly<{ hours: number; dryRun: boolean }>;

/** Throws Problem as `actOn` does, for a dry run too. */
export async function extend(
  deps: Deps,
  { hours, dryRun, ...asked }: Extension,
): Promise<z.infer<typeof ExtendResponse>> {
  const action = { type: 'extend', hours } as const;
  const after = dryRun
    ? (decideAct(asked.contract, action) ?? asked.contract)
    : await actOn(deps, { ...asked, action });
  const price = after.spec.termsSnapshot?.price ?? null;
  return {
    contract: presentContract(deps, dryRun ? asked.contract : after, { archived: false }),
    durationHours: after.spec.durationHours ?? hours,
    endsAt: endOf(after),
    price,
    costMinor: price ? costMinor(price, hours) : 0,
    dryRun,
  };
}

function endOf(contract: Contract): string | null {
  const endMs = isLive(contract) ? endMsOf(contract) : undefined;
  return endMs === undefined ? null : new Date(endMs).toISOString();
}
