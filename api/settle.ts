/**
 * Carries out what a rule of the contract decides: the steps are `crds/contract/settling.ts`, here are the live
 * reads, the compare-and-swap and the cache. Source: docs/contract.md, "The lock", 5.
 */
import type { Contract, LiveContract } from '../crds/contract/contract.ts';
import * as settling from '../crds/contract/settling.ts';
import { Problem } from '../crds/problem.ts';
import { isConflict, isNotFound } from '../kube/error.ts';
import { assertNever } from '../lib/assert.ts';
import type { Deps } from './deps.ts';
import { contractGone } from './http/refusals.ts';

export type Settled<A> = Readonly<{ answer: A; contract: LiveContract }>;

type Input<A> = Readonly<{
  /** As the cache has it; only its name is trusted, the rule decides again where it matters. */
  cached: Contract;
  rule: settling.Rule<A>;
}>;

/** Throws Problem for a refusal, NotFound when the contract is gone, Conflict, RestoreInProgress. */
export function settle<A>(deps: Deps, { cached, rule }: Input<A>): Promise<Settled<A>> {
  const uid = cached.metadata.uid ?? '';
  return deps.gate.run(uid, async (latest) => {
    let state = settling.beginSettling(latest.newest(deps.caches.contracts.byUid(uid) ?? cached) ?? cached);
    for (;;) {
      deps.world.requireNormal();
      const step = settling.settleStep(state, rule);
      switch (step.next) {
        case 'Write': {
          const written = await tryWrite(deps, step.contract);
          if (!written) {
            state = settling.lostRace(state);
            break;
          }
          const contract = { ...written, status: step.contract.status };
          latest.remember(written);
          deps.world.saw(written.metadata.resourceVersion);
          deps.caches.contracts.note(contract);
          return { answer: step.answer, contract };
        }
        case 'ReadLive': {
          const contract = await readLive(deps, state.contract);
          latest.remember(contract);
          state = settling.readLive(state, contract);
          break;
        }
        case 'Answer':
          return { answer: step.answer, contract: step.contract };
        case 'Refuse': {
          const { code, message, next, data } = step.refusal;
          throw new Problem(code, message, { next, extra: data === undefined ? {} : { data } });
        }
        case 'GiveUp':
          throw new Problem('Conflict', 'The contract was changed by others too often in a row.', {
            next: 'Send the request again.',
            retryAfterSeconds: 1,
          });
        default:
          return assertNever(step);
      }
    }
  });
}

/** Undefined when somebody wrote in between. A write that is refused as illegal by the API server is thrown. */
async function tryWrite(deps: Deps, contract: LiveContract): Promise<Contract | undefined> {
  try {
    return await deps.clients.contracts.updateStatus(contract);
  } catch (error) {
    if (isConflict(error)) return undefined;
    if (isNotFound(error)) throw contractGone();
    throw error;
  }
}

/** The object as it is now; a namesake that was made after it is not it. */
export async function readLive(deps: Deps, { metadata }: Contract): Promise<Contract> {
  const live = await deps.clients.contracts.get(metadata);
  if (!live || live.metadata.uid !== metadata.uid) throw contractGone();
  return live;
}
