/** What an agent process does beside its jobs: start, heartbeat, poll, inventory; and how it dies. */

import { uidOf } from '../../crds/contract/builders.ts';
import { isLive } from '../../crds/contract/contract.ts';
import { FINALIZER } from '../../crds/group.ts';
import { abandonAll, jobMoves, request } from './agent.ts';
import { decideNext, listed, orderEpoch, type Place, rest } from './agent-job.ts';
import { caseOfUid, eligibilityOf } from './facade.ts';
import type { Move } from './move.ts';
import type { Rules } from './rules.ts';
import {
  dateOf,
  IDLE,
  jobOf,
  nameOf,
  nth,
  recordOf,
  spend,
  type World,
  withJob,
  withProcess,
} from './world.ts';

/** A process that was told that another one counts: nobody starts it again. */
export const RETIRED = 'retired';

export const processMoves = (world: World, rules: Rules): Move[] =>
  world.processes.flatMap((process, p) => {
    if (!process.isUp) return startMoves(world, rules, p);
    const crashes = crashMoves(world, p);
    if (!process.isAcknowledged) return [heartbeat(world, rules, p), ...crashes];
    return [
      ...world.contracts.flatMap((_contract, c) => [
        ...jobMoves(world, { rules, place: [p, c] }),
        ...pollMoves(world, rules, [p, c]),
      ]),
      ...(process.isDuplicate ? [heartbeat(world, rules, p)] : []),
      ...inventoryMoves(world, p),
      ...crashes,
    ];
  });

function startMoves(world: World, _rules: Rules, p: number): Move[] {
  const { isClone, agent, session } = nth(world.processes, p);
  if (session === RETIRED) return [];
  const who = nameOf(world, { process: p });
  if (!isClone) return [{ kind: 'AgentStarts', text: `${who} starts`, next: start(world, p) }];
  if (world.budget.clone <= 0 || session !== '') return [];
  const original = world.processes.findIndex((process) => process.agent === agent && !process.isClone);
  const copied = { ...world, disks: world.disks.with(p, nth(world.disks, original)) };
  const next = start(spend(copied, 'clone'), p);
  return [{ kind: 'CloneStarts', text: `${who} starts with a copy of the disk`, next }];
}

function start(world: World, p: number): World {
  const disk = nth(world.disks, p);
  const incarnation = disk.incarnation + 1;
  const raised = { ...world, disks: world.disks.with(p, { ...disk, incarnation }) };
  const session = `${p}/${incarnation}`;
  return withProcess(raised, p, { isUp: true, session, isAcknowledged: false, isDuplicate: false });
}

function crashMoves(world: World, p: number): Move[] {
  if (world.budget.agentCrash <= 0) return [];
  const text = `${nameOf(world, { process: p })} crashes`;
  return [{ kind: 'AgentCrashes', text, next: stop(spend(world, 'agentCrash'), p) }];
}

/** Volatile state is lost; what was asked may still arrive; what stands on the hypervisor stays. */
export const stop = (world: World, p: number): World =>
  withProcess(abandonAll(world, p), p, {
    isUp: false,
    isAcknowledged: false,
    isDuplicate: false,
    inventory: undefined,
    jobs: world.contracts.map(() => IDLE),
  });

/** Sent and answered at one instant; that a heartbeat is lost is as if it were sent later. */
export function beat(world: World, rules: Rules, p: number): Readonly<{ world: World; said: string }> {
  const { agent, session, host, isClone } = nth(world.processes, p);
  const { incarnation } = nth(world.disks, p);
  if (nth(world.revoked, agent))
    return { world: retire(world, p), said: 'is told that it was revoked and ends' };
  const record = nth(world.leases, agent);
  const fingerprint = `host-${host}${isClone ? '-clone' : ''}`;
  const now = dateOf(world.nowMs);
  const verdict = rules.judgeSession({ record, request: { session, incarnation, fingerprint }, now });
  const next = verdict.record ? { ...world, leases: world.leases.with(agent, verdict.record) } : world;
  if (verdict.outcome === 'Accepted') return { world: acknowledge(next, rules, p), said: 'is acknowledged' };
  if (verdict.code === 'SessionSuperseded')
    return { world: retire(next, p), said: 'is told that a newer one took over and ends' };
  return { world: withProcess(next, p, { isDuplicate: true }), said: `is told: ${verdict.code}` };
}

const retire = (world: World, p: number): World => withProcess(stop(world, p), p, { session: RETIRED });

/** From now on it works: first on what the process before it left undone. */
function acknowledge(world: World, rules: Rules, p: number): World {
  const { isAcknowledged } = nth(world.processes, p);
  let next = withProcess(world, p, { isAcknowledged: true, isDuplicate: false });
  if (isAcknowledged) return next;
  world.contracts.forEach((_contract, c) => {
    if (!rules.isSettled(recordOf(next, p, c)))
      next = rest(withJob(next, [p, c], { isRunning: true }), [p, c], rules);
  });
  return next;
}

function heartbeat(world: World, rules: Rules, p: number): Move {
  const { world: next, said } = beat(world, rules, p);
  return { kind: 'Heartbeat', text: `${nameOf(world, { process: p })} ${said}`, next };
}

/** The answer to a poll, at one instant: an offer of the lagging facade is as good as a late one. */
function pollMoves(world: World, rules: Rules, place: Place): Move[] {
  const [p, c] = place;
  const { agent, isDuplicate } = nth(world.processes, p);
  if (nth(world.revoked, agent)) return [];
  const who = nameOf(world, { process: p });
  const moves: Move[] = [];
  const orders = destroyOrders(world, rules, place);
  let ordered = world;
  for (const epoch of orders) ordered = orderEpoch(ordered, place, { rules, epoch });
  if (ordered !== world)
    moves.push({
      kind: 'DestroyOrdered',
      text: `${who} is told to destroy epoch ${orders.join(', ')}`,
      next: ordered,
    });
  if (isDuplicate || jobOf(world, p, c).isRunning) return moves;
  for (const epoch of offers(world, rules, place)) {
    const offered = withJob(world, place, { ...IDLE, isRunning: true, offer: epoch });
    const isClaiming = decideNext(offered, place, rules).type === 'Claim';
    const call = { type: 'Claim', observedEpoch: epoch } as const;
    const doing = { at: 'Waiting', call, sentAtMs: world.nowMs } as const;
    const next = isClaiming
      ? request(withJob(offered, place, { doing, offer: undefined }), place, { call, slot: 'Job' })
      : offered;
    moves.push({
      kind: 'AgentSends',
      text: `${who} is offered the contract at epoch ${epoch} and claims`,
      next,
    });
  }
  return moves;
}

function destroyOrders(world: World, rules: Rules, [p, c]: Place): number[] {
  const { agent } = nth(world.processes, p);
  const live = nth(world.contracts, c);
  const doomed = live ? rules.doomedEpochs(live, uidOf(agent + 1)) : [];
  const owed = nth(world.owed, agent).filter(({ contractUID }) => caseOfUid(contractUID) === c);
  return [...new Set([...doomed, ...owed].map(({ epoch }) => epoch))];
}

/** The epochs under which some facade would offer it. */
function offers(world: World, rules: Rules, [p, c]: Place): number[] {
  const { agent } = nth(world.processes, p);
  const seen = [nth(world.contracts, c), ...(world.budget.lag > 0 ? [nth(world.facade, c)] : [])];
  const epochs = seen.flatMap((contract) => {
    if (!contract || !isLive(contract) || !contract.metadata.finalizers?.includes(FINALIZER)) return [];
    return eligibilityOf(world, { rules, contract, agent }).eligible ? [contract.status.epoch] : [];
  });
  return [...new Set(epochs)];
}

function inventoryMoves(world: World, p: number): Move[] {
  const { inventory, host } = nth(world.processes, p);
  if (inventory || world.budget.inventory <= 0) return [];
  const machines = nth(world.hosts, host).flatMap((machine, c) =>
    machine?.isListed ? [listed(c, machine)] : [],
  );
  const waiting = withProcess(spend(world, 'inventory'), p, { inventory: 'Waiting' });
  const next = request(waiting, [p, 0], { call: { type: 'Reconcile', listed: machines }, slot: 'Inventory' });
  return [{ kind: 'Inventory', text: `${nameOf(world, { process: p })} sends its inventory`, next }];
}
