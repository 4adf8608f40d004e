/**
 * Writes what somebody asks of a contract: the rule decides (`crds/contract/act.ts`), a compare-and-swap writes,
 * operator and agent bring it about. On a lost race the object is read live and the rule is asked again.
 */
import { type Action, type ActVerdict, act } from '../../crds/contract/act.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import { Problem } from '../../crds/problem.ts';
import { isConflict } from '../../kube/error.ts';
import type { Deps } from '../deps.ts';
import { checkIfMatch } from '../http/etag.ts';
import { busy } from '../http/refusals.ts';
import { readLive } from '../settle.ts';
import { type Found, hasEnded } from './find.ts';
import { isRepeat, once, type Use } from './once.ts';

const WRITES_MAX = 5;

export type Asked = Readonly<{
  contract: Contract;
  /** ETag of what the caller read: a repeat of a request whose answer was lost changes nothing twice. */
  ifMatch?: string | undefined;
  /** Of what adds something: carried out once. */
  use?: Use | undefined;
}>;

/** Throws Problem for what the rule refuses, PreconditionFailed, or Conflict after too many lost races. */
export const actOn = (deps: Deps, { action, ...asked }: Asked & { action: Action }): Promise<Contract> =>
  edit(deps, asked, (contract) => decideAct(contract, action));

type AskedAnywhere = Readonly<{ found: Found; ifMatch?: string | undefined; action: Action }>;

/**
 * The same, also for one that has gone to the archive: what was asked before is answered as it was then, anything
 * else is over. Throws Problem IllegalMove too.
 */
export async function actAnywhere(deps: Deps, { found, ...asked }: AskedAnywhere): Promise<Found> {
  const { contract, archived } = found;
  if (!archived) return { contract: await actOn(deps, { ...asked, contract }), archived };
  checkIfMatch(contract, asked.ifMatch);
  if (act(contract, asked.action).outcome !== 'Unchanged') throw hasEnded(contract);
  return found;
}

/** The contract as it would be; undefined when it is so already. Throws Problem for what the rule refuses. */
export const decideAct = (contract: Contract, action: Action): Contract | undefined =>
  toSpecChange(contract, act(contract, action));

/** What a verdict about the spec makes of the contract. Throws Problem for a refusal. */
export function toSpecChange(contract: Contract, verdict: ActVerdict): Contract | undefined {
  if (verdict.outcome === 'Refused')
    throw new Problem(verdict.code, sentence(verdict.message), {
      next: verdict.next,
      extra: {
        ...(verdict.data ? { data: verdict.data } : {}),
        ...(verdict.errors ? { errors: verdict.errors } : {}),
      },
    });
  return verdict.outcome === 'Write' ? { ...contract, spec: verdict.spec } : undefined;
}

/** Undefined: it is already as it should be. */
type Change = (contract: Contract) => Contract | undefined;

export async function edit(deps: Deps, { contract, ifMatch, use }: Asked, wanted: Change): Promise<Contract> {
  const change = use ? once(use, wanted) : wanted;
  let current = contract;
  let isLive = false;
  for (let tries = 0; tries < WRITES_MAX; tries++) {
    // A repeat carries the ETag of before it was carried out.
    if (!(use && isRepeat(use, current))) checkIfMatch(current, ifMatch);
    let changed: Contract | undefined;
    try {
      changed = change(current);
    } catch (error) {
      // The cache may be behind what another facade has answered: only what is now refuses.
      if (isLive || !(error instanceof Problem)) throw error;
      current = await readLive(deps, current);
      isLive = true;
      continue;
    }
    if (!changed) return current;
    try {
      return await deps.clients.contracts.update(changed);
    } catch (error) {
      if (!isConflict(error)) throw error;
      current = await readLive(deps, current);
      isLive = true;
    }
  }
  throw busy();
}

/** Rules speak as the API server does, without a capital and a full stop. */
const sentence = (message: string): string => `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
