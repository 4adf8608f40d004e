/**
 * What an agent may claim now, oldest first, at most a few; more where it left what it was offered. A poll reads no further than it must: an agent that is
 * full or away looks at nothing but what it began itself, and who found nothing is not asked the same again before
 * something of the answer can have changed.
 */
import type { AgentPool } from '../../crds/agent-pool.ts';
import { type Contract, isLive, type LiveContract } from '../../crds/contract/contract.ts';
import type { TermsSnapshot } from '../../crds/contract/spec.ts';
import { type Amounts, amountsOf, firstLack } from '../../crds/placement/amounts.ts';
import type { PreparedAgent } from '../../crds/placement/supply.ts';
import type { Deps } from '../deps.ts';
import { eligibleFor } from './eligible.ts';
import type { Worker } from './list.ts';
import { offersOf } from './offers.ts';

/** An agent that has more to do than this polls again at once. */
const PROVISION_MAX = 16;
/** Beside as many of the oldest that it was offered and did not claim, these may be so many. */
const BESIDE_DECLINED_MAX = 32;
/** Waiting contracts that are looked at for one answer, and those for which others are compared with the agent. */
const LOOKED_AT_MAX = 4096;
const JUDGED_MAX = 256;
/** When not all could be looked at: the rest comes then. */
const REST_IN_MS = 1000;

type Needs = Pick<Deps, 'supply' | 'placements' | 'headStartMs' | 'clock'> &
  Readonly<{
    caches: Readonly<{
      contracts: Pick<
        Deps['caches']['contracts'],
        'waiting' | 'queueVersion' | 'resumableBy' | 'companionsOf'
      >;
    }>;
  }>;

export type Claimable = Readonly<{
  contracts: readonly LiveContract[];
  /** Something waits only for its time: look again then. Infinity: only an event can bring work. */
  dueInMs: number;
}>;

type Nothing = Readonly<{
  /** What the answer depends on beside the time. */
  mark: string;
  dueMs: number;
}>;

/** Of agents that found nothing. By object: one that changed is another one. */
const nothing = new WeakMap<PreparedAgent, Nothing>();

/**
 * Where agents go on that could not look at all, by UID. When something has changed they look at the first ones
 * again, and go on all the same: where something changes all the time, hundreds of orders that nobody can build would
 * else keep everybody from what waits behind them. Only of those that are in the middle.
 */
const unfinished = new Map<string, number>();

export function claimable(deps: Needs, worker: Worker): Claimable {
  const { agent, pool } = worker;
  const { caches } = deps;
  deps.supply.heard(agent);
  const nowMs = deps.clock.now().getTime();
  const { namespace = '', uid = '' } = agent.metadata;
  const view = deps.supply.of(namespace);
  const prepared = view.agent(uid);
  const keys = view.keysOf(pool);
  const mark = `${view.version}/${keys.map(caches.contracts.queueVersion).join()}`;
  const kept = prepared && nothing.get(prepared);
  const isSame = kept?.mark === mark;
  if (isSame && nowMs < kept.dueMs) return { contracts: [], dueInMs: kept.dueMs - nowMs };
  const isOut = prepared !== undefined && takesNothingNew(prepared, pool);
  if (isOut) return lookThrough(deps, { worker, waiting: caches.contracts.resumableBy(uid), from: 0 });
  const begun = unfinished.get(uid) ?? 0;
  const look = (from: number) => lookThrough(deps, { worker, waiting: allUnder(deps, keys), from });
  const first = look(isSame ? begun : 0);
  const isInVain = !isSame && first.fresh === 0 && first.from > 0;
  const last = isInVain && begun >= first.from ? look(begun) : first;
  const { dueInMs, from } = last;
  const contracts = last === first ? first.contracts : [...new Set([...first.contracts, ...last.contracts])];
  if (prepared && contracts.length === 0) nothing.set(prepared, { mark, dueMs: nowMs + dueInMs });
  if (last.fresh === 0 && from > 0) unfinished.set(uid, from);
  else unfinished.delete(uid);
  if (prepared) offersOf(prepared, nowMs).note(contracts);
  return { contracts, dueInMs };
}

/** Whatever it is. */
const takesNothingNew = ({ fitness, load, capacity, buildsMax }: PreparedAgent, pool: AgentPool): boolean =>
  (fitness.unfit ?? fitness.away ?? fitness.outdated) !== undefined ||
  pool.spec.paused ||
  load.used.instances >= capacity.instances ||
  load.building >= buildsMax;

/** One that allows several regions or types waits under several keys. */
function* allUnder({ caches }: Needs, keys: readonly string[]): Generator<Contract> {
  const seen = new Set<string>();
  for (const key of keys)
    for (const contract of caches.contracts.waiting(key)) {
      const uid = contract.metadata.uid ?? '';
      if (!seen.has(uid)) yield contract;
      seen.add(uid);
    }
}

type Looking = Readonly<{ worker: Worker; waiting: Iterable<Contract>; from: number }>;

/** `fresh`: of the contracts, those that it did not leave before. `from`: where the rest begins; 0 when there is none. */
type Looked = Claimable & Readonly<{ fresh: number; from: number }>;

function lookThrough(deps: Needs, { worker, waiting, from }: Looking): Looked {
  const now = deps.clock.now();
  const view = deps.supply.of(worker.agent.metadata.namespace ?? '');
  const prepared = view.agent(worker.agent.metadata.uid ?? '');
  const contracts: LiveContract[] = [];
  let dueInMs = Number.POSITIVE_INFINITY;
  let at = 0;
  let judged = 0;
  let fresh = 0;
  const offers = prepared && offersOf(prepared, now.getTime());
  for (const contract of waiting) {
    if (at++ < from) continue;
    const declined = contracts.length - fresh;
    const isEnough = fresh >= (declined > 0 ? BESIDE_DECLINED_MAX : PROVISION_MAX);
    if (isEnough || judged >= JUDGED_MAX || at - from > LOOKED_AT_MAX)
      return { contracts, fresh, dueInMs: REST_IN_MS, from: at - 1 };
    if (!isLive(contract) || (prepared && lacksRoom(prepared, contract))) continue;
    const isDeclined = offers?.isDeclined(contract) ?? false;
    if (isDeclined && declined >= PROVISION_MAX) continue;
    judged++;
    const verdict = eligibleFor(deps, { worker, contract, now });
    if (verdict.eligible) {
      contracts.push(contract);
      if (!isDeclined) fresh++;
    } else {
      if (verdict.until) dueInMs = Math.min(dueInMs, Date.parse(verdict.until) - now.getTime());
      // Whoever goes first may go away.
      if (verdict.reason === 'AwaitsTurn') dueInMs = Math.min(dueInMs, view.changesAtMs - now.getTime());
    }
  }
  // Begun in the middle: the first ones are next.
  return { contracts, fresh, dueInMs: from > 0 ? REST_IN_MS : dueInMs, from: 0 };
}

/** Seen at a glance. What it holds of the contract itself is no room that is lacking. */
function lacksRoom({ uid, capacity, load }: PreparedAgent, { spec, status }: LiveContract): boolean {
  const { resources } = spec.termsSnapshot ?? {};
  if (!resources || status.holders?.some(({ agentUID }) => agentUID === uid)) return false;
  return firstLack({ total: capacity, used: load.used, wanted: wantedOf(resources) }) !== undefined;
}

/** By object: the terms of a contract never change, and are read once. */
const wantedKept = new WeakMap<TermsSnapshot['resources'], Amounts>();
function wantedOf(resources: TermsSnapshot['resources']): Amounts {
  const known = wantedKept.get(resources) ?? amountsOf(resources);
  wantedKept.set(resources, known);
  return known;
}
