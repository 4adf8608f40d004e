/**
 * Carries out what a rule of the contract decides: gather, decide, compare-and-swap, present. A verdict that
 * makes somebody destroy, stop or confirm is only answered when it was decided on a live read; on a conflict
 * the object is read live and the rule is asked again. Source: docs/contract.md, "The lock", 5.
 */
import { type Contract, isLive, type LiveContract } from '../crds/contract/contract.ts';
import type { Verdict } from '../crds/contract/verdict.ts';
import { Problem } from '../crds/problem.ts';
import { isConflict, isNotFound } from '../kube/error.ts';
import type { Deps } from './deps.ts';
import { contractGone } from './http/refusals.ts';

const CONFLICTS_MAX = 6;

export type Settled<A> = Readonly<{ answer: A; contract: LiveContract }>;

type Input<A> = Readonly<{
  /** As the cache has it; only its name is trusted, the rule decides again where it matters. */
  cached: Contract;
  rule: (contract: LiveContract) => Verdict<A>;
}>;

/** Throws Problem for a refusal, NotFound when the contract is gone, Conflict after too many lost races. */
export function settle<A>(deps: Deps, { cached, rule }: Input<A>): Promise<Settled<A>> {
  const uid = cached.metadata.uid ?? '';
  return deps.gate.run(uid, async (latest) => {
    let contract = latest.newest(deps.caches.contracts.byUid(uid) ?? cached) ?? cached;
    let isLiveRead = false;
    for (let conflicts = 0; conflicts < CONFLICTS_MAX; ) {
      const verdict = isLive(contract) ? rule(contract) : NOT_SEEN_YET;
      if (verdict.outcome === 'Write' && isLive(contract)) {
        const written = await tryWrite(deps, { ...contract, status: verdict.status });
        if (written) {
          latest.remember(written);
          deps.caches.contracts.note({ ...written, status: verdict.status });
          return { answer: verdict.answer, contract: { ...written, status: verdict.status } };
        }
        conflicts++;
      } else if (isLiveRead || !needsLiveRead(verdict)) {
        if (verdict.outcome === 'Answer' && isLive(contract)) return { answer: verdict.answer, contract };
        if (verdict.outcome === 'Refused') throw refusal(verdict);
      }
      contract = await readLive(deps, contract);
      latest.remember(contract);
      isLiveRead = true;
    }
    throw new Problem('Conflict', 'The contract was changed by others too often in a row.', {
      next: 'Send the request again.',
      retryAfterSeconds: 1,
    });
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

function refusal({ code, message, next, data }: Extract<Verdict<unknown>, { outcome: 'Refused' }>): Problem {
  return new Problem(code, message, { next, extra: data === undefined ? {} : { data } });
}

/**
 * What makes somebody destroy, stop or confirm; and "cannot be claimed", which a cache that lags behind the
 * replica that offered the contract would say too early.
 */
const needsLiveRead = (verdict: Verdict<unknown>): boolean =>
  verdict.outcome !== 'Write' &&
  (verdict.final || (verdict.outcome === 'Refused' && verdict.code === 'LockNotAvailable'));

const NOT_SEEN_YET: Extract<Verdict<never>, { outcome: 'Refused' }> = {
  outcome: 'Refused',
  code: 'LockNotAvailable',
  message: 'The operator has not seen this contract yet.',
  next: 'Poll again in a second.',
  final: false,
};
