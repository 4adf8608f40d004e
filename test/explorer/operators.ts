/** Operator processes: each sees late, decides on what it saw, and writes by compare-and-swap. Two of them are a deposed one. */
import { anAgent, anOffering, aProvider, someTerms, uidOf } from '../../crds/contract/builders.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import { FINALIZER } from '../../crds/group.ts';
import { createSilenceWatch } from '../../lib/silence-watch.ts';
import { anOutlook } from '../../operator/contract/builders.ts';
import type { Action, Decision } from '../../operator/contract/facts.ts';
import type { Hosts } from '../../operator/contract/hosts.ts';
import { caseOfUid } from './facade.ts';
import type { Move } from './move.ts';
import type { Rules } from './rules.ts';
import { store, writeStatus } from './server.ts';
import { dateOf, nth, type OperatorProcess, type Pending, spend, type World } from './world.ts';

type Deciding = Readonly<{ rules: Rules; o: number; c: number }>;

const OFFERING = anOffering();
const TERMS = someTerms();
const PROVIDER = aProvider();
const OUTLOOK = anOutlook();

export const operatorMoves = (world: World, rules: Rules): Move[] =>
  world.operators.flatMap((operator, o) => [
    ...world.contracts.flatMap((stored, c) => {
      const who = nameOf(world, o);
      const sight: Move[] =
        nth(operator.caches, c) === stored
          ? []
          : [
              {
                kind: 'OperatorSees',
                text: `${who} sees the contract as it is`,
                next: sees(world, rules, [o, c]),
              },
            ];
      const pending = nth(operator.pendings, c);
      const deciding = { rules, o, c };
      return [...sight, ...(pending ? carryOut(world, deciding, pending) : decides(world, deciding))];
    }),
    ...crashes(world, rules, o),
  ]);

/** What it knew is lost; its successor lists everything anew. */
function crashes(world: World, rules: Rules, o: number): Move[] {
  if (world.budget.operatorCrash <= 0) return [];
  const empty = world.contracts.map(() => undefined);
  const lost = { caches: empty, marks: empty, pendings: empty };
  let next = withOperator(spend(world, 'operatorCrash'), o, lost);
  world.contracts.forEach((_stored, c) => {
    next = sees(next, rules, [o, c]);
  });
  return [{ kind: 'OperatorCrashes', text: `${nameOf(world, o)} crashes; the next one begins anew`, next }];
}

const nameOf = (world: World, o: number): string =>
  world.operators.length === 1 ? 'operator' : `operator ${o === 0 ? 'A' : 'B'}`;

const withOperator = (world: World, o: number, change: Partial<OperatorProcess>): World => ({
  ...world,
  operators: world.operators.with(o, { ...nth(world.operators, o), ...change }),
});

/** The watch tells; a lock that is new to this process is silent from now on. */
function sees(world: World, rules: Rules, [o, c]: readonly [number, number]): World {
  const operator = nth(world.operators, o);
  const contract = nth(world.contracts, c);
  const caches = operator.caches.with(c, contract);
  const marks = operator.marks.with(c, contract && silenceOf(world, { rules, o, c, contract }).mark);
  return withOperator(world, o, { caches, marks });
}

type Watched = Readonly<{ rules: Rules; o: number; c: number; contract: Contract }>;

/** The real watch, primed with what this process had seen. */
function silenceOf(world: World, { rules, o, c, contract }: Watched) {
  const before = nth(nth(world.operators, o).marks, c);
  let mark = before;
  const known = createSilenceWatch();
  if (before) known.silentMs('', { mark: before.mark, monotonicMs: before.sinceMs });
  const locks = {
    silentMs: (_key: string, seen: Parameters<typeof known.silentMs>[1]) => {
      const silentMs = known.silentMs('', seen);
      mark = { mark: seen.mark, sinceMs: seen.monotonicMs - silentMs };
      return silentMs;
    },
    forget: () => {
      mark = undefined;
    },
  };
  const lockSilentMs = rules.lockSilentMs({ clock: { monotonicMs: () => world.nowMs }, locks }, contract);
  return { lockSilentMs, mark };
}

type Known = Readonly<{
  rules: Rules;
  nowMs: number;
  mark: unknown;
  drained: World['drained'];
  decision: Decision;
}>;
const decisions = new WeakMap<Contract, Known>();

/** What this operator would do now about what it saw; undefined for what it does not know. Same facts, same decision. */
export function decisionOf(
  world: World,
  rules: Rules,
  [o, c]: readonly [number, number],
): Decision | undefined {
  const contract = nth(nth(world.operators, o).caches, c);
  if (!contract) return undefined;
  const mark = nth(nth(world.operators, o).marks, c);
  const known = decisions.get(contract);
  const isSame =
    known?.nowMs === world.nowMs &&
    known.mark === mark &&
    known.rules === rules &&
    known.drained === world.drained;
  if (known && isSame) return known.decision;
  const { lockSilentMs } = silenceOf(world, { rules, o, c, contract });
  const hosts = hostsOf(world, contract);
  const decision = rules.decide({
    contract: hosts.drained ? movable(contract) : contract,
    offering: OFFERING,
    terms: TERMS,
    provider: PROVIDER,
    outlook: OUTLOOK,
    hosts,
    lockSilentMs,
    now: dateOf(world.nowMs),
  });
  decisions.set(contract, { rules, nowMs: world.nowMs, mark, drained: world.drained, decision });
  return decision;
}

/** Where only one agent is left, nobody else could build it. */
function hostsOf(world: World, { status }: Contract): Hosts {
  const agent = world.drained.findIndex((is, n) => is && uidOf(n + 1) === status?.instance?.agentUID);
  const isElsewhere = world.drained.some((is) => !is);
  return {
    drained: agent < 0 ? undefined : anAgent(agent + 1, { draining: true, drainBy: dateOf(0).toISOString() }),
    elsewhere: isElsewhere ? OUTLOOK.why : undefined,
    othersCanTry: world.leases.length > 1,
    deserted: [],
  };
}

/** Only worlds in which an agent is drained have contracts that may be built anew. */
const movable = (contract: Contract): Contract => ({
  ...contract,
  spec: { ...contract.spec, termsSnapshot: someTerms({ allowRecreation: true }) },
});

const isEffect = ({ type }: Action): boolean =>
  type === 'RecordDebt' || type === 'RemoveFinalizer' || type === 'Delete';

function decides(world: World, deciding: Deciding): Move[] {
  const { rules, o, c } = deciding;
  const contract = nth(nth(world.operators, o).caches, c);
  const decision = decisionOf(world, rules, [o, c]);
  if (!contract || !decision) return [];
  const before = decision.before.filter(isEffect);
  const after = decision.after.filter(isEffect);
  const pending: Pending = { contract, decision: { ...decision, before, after }, step: 0 };
  if (decision.prepare || before.length > 0) {
    const text = `${nameOf(world, o)} decides: ${decision.status?.reason ?? 'prepare'}`;
    return [{ kind: 'OperatorActs', text, next: withPending(world, deciding, pending) }];
  }
  const isIdle = after.length === 0 && !rules.statusToWrite(decision, contract);
  return isIdle ? [] : carryOut(world, deciding, pending);
}

const withPending = (world: World, { o, c }: Deciding, pending: Pending | undefined): World =>
  withOperator(world, o, { pendings: nth(world.operators, o).pendings.with(c, pending) });

/** One step of apply: prepare, effects that come first, the status, effects that come after. */
function carryOut(world: World, deciding: Deciding, pending: Pending): Move[] {
  const { rules, o, c } = deciding;
  const { contract, decision, step } = pending;
  const who = nameOf(world, o);
  const isStale = nth(world.contracts, c)?.metadata.resourceVersion !== contract.metadata.resourceVersion;
  const idle = withPending(world, deciding, undefined);
  const lost: Move = {
    kind: 'OperatorLosesRace',
    text: `${who} loses a race: it decided on what is old`,
    next: idle,
  };
  if (decision.prepare) return [isStale ? lost : prepares(world, deciding, pending)];
  const effect = decision.before[step];
  if (effect) {
    const next = withPending(perform(world, effect, contract), deciding, { ...pending, step: step + 1 });
    return [{ kind: 'OperatorActs', text: `${who} does ${effect.type}`, next }];
  }
  const status = rules.statusToWrite(decision, contract);
  if (status) {
    const written = writeStatus(idle, c, { status, version: contract.metadata.resourceVersion });
    if (!written) return [lost];
    const text = `${who} writes ${status.reason ?? status.phase}`;
    const seen: Move = { kind: 'OperatorWrites', text, next: sees(written, rules, [o, c]) };
    if (world.budget.network <= 0) return [seen];
    const next = spend(written, 'network');
    return [seen, { kind: 'ReplyLost', text: `${text}; the reply is lost`, next }];
  }
  const [last] = decision.after;
  if (!last) return [];
  if (isStale) return [lost];
  return [{ kind: 'OperatorActs', text: `${who} does ${last.type}`, next: perform(idle, last, contract) }];
}

function prepares(world: World, deciding: Deciding, { contract, decision }: Pending): Move {
  const { o, c } = deciding;
  const finalizers = [...new Set([...(contract.metadata.finalizers ?? []), FINALIZER])];
  const spec = { ...contract.spec, ...decision.prepare };
  const prepared = store(world, c, { ...contract, metadata: { ...contract.metadata, finalizers }, spec });
  const stored = nth(prepared.contracts, c);
  const rest = stored && { contract: stored, decision: { ...decision, prepare: undefined }, step: 0 };
  const text = `${nameOf(world, o)} prepares the contract`;
  return { kind: 'OperatorActs', text, next: withPending(prepared, deciding, rest) };
}

function perform(world: World, action: Action, contract: Contract): World {
  const c = caseOfUid(contract.metadata.uid ?? '');
  if (action.type === 'RemoveFinalizer' || action.type === 'Delete') return store(world, c, undefined);
  if (action.type !== 'RecordDebt') return world;
  const agent = Number(action.holder.agent.split('-')[1]) - 1;
  const owed = nth(world.owed, agent);
  const debt = {
    contractUID: contract.metadata.uid ?? '',
    epoch: action.holder.epoch,
    since: dateOf(world.nowMs).toISOString(),
  };
  const isKnown = owed.some((it) => it.contractUID === debt.contractUID && it.epoch === debt.epoch);
  return isKnown ? world : { ...world, owed: world.owed.with(agent, [...owed, debt]) };
}
