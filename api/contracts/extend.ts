/**
 * Extension: what it would be and cost is said beforehand with `dryRun`, by the same rule that then decides. Where
 * added hours cost what the offering asks, the operator adds them, at the agreed price or not at all.
 */
import type { z } from 'zod';
import type { Action } from '../../crds/contract/act.ts';
import { type Contract, isLive } from '../../crds/contract/contract.ts';
import { endMsOf } from '../../crds/contract/term.ts';
import { costMinor, type PriceValue } from '../../crds/price.ts';
import type { ExtendResponse } from '../../crds/wire/actions.ts';
import type { Deps } from '../deps.ts';
import { type Asked, decideAct, edit } from './act.ts';
import { priceNow } from './added-price.ts';
import { presentContract } from './present.ts';

type Extension = Asked &
  Readonly<{
    hours: number;
    dryRun: boolean;
    /** What the caller agrees to. */
    price?: PriceValue | undefined;
  }>;

/** Throws Problem as `actOn` does, for a dry run too; PriceChanged when it costs something else than agreed. */
export async function extend(
  deps: Deps,
  { hours, dryRun, price: agreed, ...asked }: Extension,
): Promise<z.infer<typeof ExtendResponse>> {
  const decided = (contract: Contract): Contract | undefined => {
    const price = priceNow(deps, contract);
    // Who only asks what it costs agrees to nothing yet.
    const action: Action = { type: 'extend', hours, price, agreed: agreed ?? (dryRun ? price : undefined) };
    return decideAct(contract, action);
  };
  const after = dryRun ? (decided(asked.contract) ?? asked.contract) : await edit(deps, asked, decided);
  const price = priceNow(deps, after) ?? null;
  return {
    contract: presentContract(deps, dryRun ? asked.contract : after, { archived: false }),
    durationHours: after.spec.durationHours ?? hours,
    endsAt: endOf(after, deps.clock.now()),
    price,
    costMinor: price ? costMinor(price, hours) : 0,
    dryRun,
  };
}

/** With all the hours that are asked for. */
function endOf(contract: Contract, now: Date): string | null {
  if (!isLive(contract)) return null;
  const { agreedHours: _before, ...status } = contract.status;
  const endMs = endMsOf({ ...contract, status }, now);
  return endMs === undefined ? null : new Date(endMs).toISOString();
}
