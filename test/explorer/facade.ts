/**
 * A facade that handles one call: session, rule, settling. As the routes of api/work do it, with the world in the
 * place of their clients; a `Lagging` one begins with what its watch has seen.
 */
import { anAgent, aPool, uidOf } from '../../crds/contract/builders.ts';
import { isLive, type LiveContract, uidOfContractId } from '../../crds/contract/contract.ts';
import { ONLINE_WITHIN_MS } from '../../crds/contract/numbers.ts';
import type { Rule } from '../../crds/contract/settling.ts';
import type { Claimant, Verdict } from '../../crds/contract/verdict.ts';
import { NO_LOAD } from '../../crds/placement/load.ts';
import { prepareSupply, type Supply } from '../../crds/placement/supply.ts';
import { assertNever } from '../../lib/assert.ts';
import type { Rules } from './rules.ts';
import { answered, type Calling, type Handled, type Lag, refused, settle } from './settle.ts';
import { type Answer, dateOf, nth, type Request, type World } from './world.ts';

export const INSTALLATION = 'explored';
export const TTL_SECONDS = 300;
const POOL = aPool('europe-script', { lockTTLSeconds: TTL_SECONDS });
const AGENTS = [1, 2, 3].map((n) => anAgent(n));

export function handle(
  world: World,
  { rules, request, lag }: Readonly<{ rules: Rules; request: Request; lag: Lag }>,
): Handled {
  const call: Calling = { rules, request, lag, agent: agentOf(world, request) };
  if (nth(world.revoked, call.agent)) return refused(world, 'AgentRevoked');
  const handled = judge(world, call);
  // A facade's own writes are in its cache at once.
  const isOwn = lag === 'Lagging' && handled.wrote;
  const { contract: c } = request;
  const noted = isOwn
    ? { ...handled.world, facade: world.facade.with(c, nth(handled.world.contracts, c)) }
    : handled.world;
  return { ...handled, world: noted };
}

const agentOf = (world: World, { process }: Request): number => nth(world.processes, process).agent;

export const claimantOf = (agent: number, session: string): Claimant => ({
  name: nth(AGENTS, agent).metadata.name,
  uid: uidOf(agent + 1),
  poolName: POOL.metadata.name,
  session,
});

function judge(world: World, calling: Calling): Handled {
  const { rules, request, agent } = calling;
  const { call, session } = request;
  const claimant = claimantOf(agent, session);
  const now = dateOf(world.nowMs);
  switch (call.type) {
    case 'Claim':
    case 'Renew': {
      const admitted = admit(world, calling);
      if ('reply' in admitted) return admitted;
      const lock: Rule<object> = (contract) =>
        call.type === 'Renew'
          ? rules.renew(contract, { agent: claimant, epoch: call.epoch, ttlSeconds: TTL_SECONDS, now })
          : rules.claim(contract, {
              agent: claimant,
              observedEpoch: call.observedEpoch,
              ttlSeconds: TTL_SECONDS,
              now,
              eligible: eligibilityOf(admitted.world, { rules, contract, agent }),
            });
      return settle(admitted.world, calling, lock);
    }
    case 'Provisioned': {
      const details = {
        externalId: `dc-${request.contract}`,
        sshPort: 22,
        ipAddress: '10.0.0.1',
        ...(call.isVerified ? { verifiedAt: now.toISOString() } : {}),
      };
      const { epoch } = call;
      return settle(world, calling, (it) =>
        rules.reportProvisioned(it, { agent: claimant, epoch, details, now }),
      );
    }
    case 'Failed': {
      const { epoch } = call;
      const facts = { agent: claimant, epoch, errorMessage: 'failed', class: call.class, now };
      return settle(world, calling, (it) => rules.reportFailed(it, facts));
    }
    case 'Release':
    case 'Terminated':
      return confirm(world, calling);
    case 'Reconcile':
      return takeInventory(world, calling);
    default:
      return assertNever(call);
  }
}

/**
 * No head starts between equal agents: they would only add instants at which nothing is safer. Who held the lock and
 * who has failed still count.
 */
export const eligibilityOf = (
  world: World,
  { rules, contract, agent }: Readonly<{ rules: Rules; contract: LiveContract; agent: number }>,
) =>
  rules.eligibility(contract, {
    agentUID: uidOf(agent + 1),
    supply: supplyOf(world),
    headStartMs: 0,
    now: dateOf(world.nowMs),
  });

const supplies = new Map<string, Supply>();

/** Depends on nothing but who is there, and is asked millions of times. */
function supplyOf(world: World): Supply {
  const presences = AGENTS.map((_agent, n) => {
    if (!world.leases[n] || nth(world.revoked, n)) return undefined;
    return isFresh(world, uidOf(n + 1)) ? ('Online' as const) : ('Offline' as const);
  });
  const key = `${presences.join()}/${world.drained.join()}`;
  const known = supplies.get(key);
  if (known) return known;
  const agents = AGENTS.flatMap((agent, n) => {
    const presence = presences[n];
    const spec = world.drained[n] ? { ...agent.spec, draining: true } : agent.spec;
    return presence ? [{ agent: { ...agent, spec }, presence, load: NO_LOAD }] : [];
  });
  const supply = prepareSupply({ pools: [POOL], agents });
  supplies.set(key, supply);
  return supply;
}

function isFresh(world: World, uid: string): boolean {
  const lease = world.leases.find((_lease, n) => uidOf(n + 1) === uid);
  if (!lease || lease.left) return false;
  return dateOf(world.nowMs).getTime() - Date.parse(lease.heardAt) < ONLINE_WITHIN_MS;
}

/** The session of a lock, a confirmation or an inventory. A change of the Lease is written by compare-and-swap. */
function admit(world: World, { rules, request, agent }: Calling): Readonly<{ world: World }> | Handled {
  const { session, incarnation } = request;
  const now = dateOf(world.nowMs);
  const record = nth(world.leases, agent);
  const verdict = rules.judgeSession({ record, request: { session, incarnation }, now });
  if (verdict.outcome === 'Refused') {
    const leases = verdict.record ? world.leases.with(agent, verdict.record) : world.leases;
    return refused({ ...world, leases }, verdict.code);
  }
  return { world: verdict.changed ? { ...world, leases: world.leases.with(agent, verdict.record) } : world };
}

function confirm(world: World, calling: Calling): Handled {
  const { rules, request, agent, lag } = calling;
  const { call, contract: c } = request;
  if (call.type !== 'Release' && call.type !== 'Terminated') throw new Error('confirms nothing');
  const admitted = admit(world, calling);
  if ('reply' in admitted) return admitted;
  const record = nth(admitted.world.leases, agent);
  if (record && !rules.mayConfirmAbsence(record, dateOf(world.nowMs)))
    return refused(admitted.world, 'AbsenceNotYetCertain');
  const { epoch } = call;
  const uid = uidOfCase(c);
  const owed = nth(world.owed, agent);
  const left = owed.filter((debt) => debt.contractUID !== uid || debt.epoch !== epoch);
  const isPaying = call.type === 'Terminated' && left.length < owed.length;
  const paid = isPaying ? { ...admitted.world, owed: admitted.world.owed.with(agent, left) } : admitted.world;
  const seen = lag === 'Fresh' ? nth(world.contracts, c) : nth(world.facade, c);
  if (!seen) return { ...answered(paid, {}), wrote: isPaying };
  const facts = { agent: claimantOf(agent, request.session), epoch, now: dateOf(world.nowMs) };
  const settled = settle<object>(
    paid,
    calling,
    (it): Verdict<object> =>
      call.type === 'Release'
        ? rules.release(it, { ...facts, class: 'capacity' })
        : rules.reportTerminated(it, facts),
  );
  return { ...settled, wrote: settled.wrote || isPaying };
}

function takeInventory(world: World, calling: Calling): Handled {
  const { rules, request, agent } = calling;
  if (request.call.type !== 'Reconcile') throw new Error('no inventory');
  const { listed } = request.call;
  const admitted = admit(world, calling);
  if ('reply' in admitted) return admitted;
  const agentUID = uidOf(agent + 1);
  const live = world.contracts.filter((contract) => contract !== undefined).filter(isLive);
  const isRevoked = (uid: string): boolean => world.revoked.some((is, n) => is && uidOf(n + 1) === uid);
  const orders = rules.judgeInventory({
    agentUID,
    installation: INSTALLATION,
    listed,
    contractOf: (uid) => live.find(({ metadata }) => metadata.uid === uid),
    heldBy: live.filter(({ status }) => status.holders?.some((entry) => entry.agentUID === agentUID)),
    owed: nth(world.owed, agent),
    isRevoked,
  });
  let after = admitted.world;
  let conflicts = 0;
  const heir = claimantOf(agent, request.session);
  const adopt = orders.adopt.filter((order) => {
    const from = listed.find(({ externalId }) => externalId === order.externalId)?.agentUid ?? '';
    const c = caseOfUid(uidOfContractId(order.contractId) ?? '');
    const settled = settle(after, { ...calling, request: { ...request, contract: c } }, (it) =>
      rules.inherit(it, { from, heir, epoch: order.epoch, now: dateOf(world.nowMs) }),
    );
    after = settled.world;
    conflicts += settled.conflicts;
    return 'answer' in settled.reply && settled.isAdopting === true;
  });
  const reply = { answer: { orders: { ...orders, adopt } } };
  return {
    world: after,
    reply,
    said: describeOrders({ ...orders, adopt }),
    conflicts,
    wrote: after !== admitted.world,
  };
}

const describeOrders = ({ terminate, confirm, adopt, unknown }: NonNullable<Answer['orders']>): string => {
  const orders = [
    ...terminate.map(({ epoch }) => `destroy epoch ${epoch}`),
    ...confirm.map(({ epoch }) => `confirm epoch ${epoch}`),
    ...adopt.map(({ epoch }) => `adopt epoch ${epoch}`),
    ...unknown.map(() => 'unknown machine'),
  ];
  return orders.length === 0 ? 'answers: nothing to do' : `answers: ${orders.join(', ')}`;
};

/** UIDs of the contracts of a scenario, by their number. */
export const uidOfCase = (c: number): string => uidOf(500 + c);
export const caseOfUid = (uid: string): number => Number(uid.slice(-3)) - 500;
