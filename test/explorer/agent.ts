/**
 * The steps of a job, as agent/run carries them out: each write to disk, each effect and each call is a move of
 * its own, so that a crash falls between any two of them.
 */
import { assertNever } from '../../lib/assert.ts';
import { hypervisorMoves } from './agent-builds.ts';
import {
  type Acting,
  abandon,
  decideNext,
  endLock,
  giveUp,
  listOwn,
  moved,
  type Place,
} from './agent-job.ts';
import type { Move, MoveKind } from './move.ts';
import {
  type Call,
  jobOf,
  machineOf,
  nth,
  type Request,
  recordOf,
  type Slot,
  sent,
  spend,
  type World,
  withJob,
  withMachine,
  withRecord,
} from './world.ts';

export function jobMoves(world: World, acting: Acting): Move[] {
  const { isRunning } = jobOf(world, ...acting.place);
  return isRunning ? [...renewMoves(world, acting), ...stepMoves(world, acting)] : [];
}

function renewMoves(world: World, acting: Acting): Move[] {
  const { place } = acting;
  const { lock } = jobOf(world, ...place);
  if (!lock || lock.sentAtMs !== undefined || world.nowMs < lock.renewAtMs) return [];
  const call = { type: 'Renew', epoch: lock.epoch } as const;
  const asking = withJob(world, place, { lock: { ...lock, sentAtMs: world.nowMs } });
  const next = request(asking, place, { call, slot: 'Keeper' });
  return [
    moved(world, acting, { kind: 'AgentRenews', said: `renews the lock of epoch ${lock.epoch}`, next }),
  ];
}

function stepMoves(world: World, acting: Acting): Move[] {
  const { place } = acting;
  const { doing } = jobOf(world, ...place);
  if (!doing) return decideMoves(world, acting);
  if (doing.at === 'Waiting') return [];
  if (doing.at !== 'Sending') return hypervisorMoves(world, { ...acting, doing });
  const said = `sends its ${doing.call.type.toLowerCase()}`;
  return [moved(world, acting, { kind: 'AgentSends', said, next: send(world, place, doing.call) })];
}

function decideMoves(world: World, acting: Acting): Move[] {
  const { rules, place } = acting;
  const record = recordOf(world, ...place);
  const step = decideNext(world, place, rules);
  const one = (kind: MoveKind, said: string, next: World): Move[] => [
    moved(world, acting, { kind, said, next }),
  ];
  const calls = (call: Call): Move[] =>
    one('AgentSends', `sends its ${call.type.toLowerCase()}`, send(world, place, call));
  switch (step.type) {
    case 'Done':
    case 'AwaitRenewal':
      return [];
    case 'Claim':
      return calls({ type: 'Claim', observedEpoch: jobOf(world, ...place).offer ?? 0 });
    case 'Regain':
      return calls({ type: 'Renew', epoch: step.epoch });
    case 'List':
      return one('Listed', 'lists its machines', withJob(world, place, { machines: listOwn(world, place) }));
    case 'Adopt':
    case 'Create': {
      const { epoch } = step.grant;
      const adopts = step.type === 'Adopt' ? step.machine.epoch : undefined;
      const begun = withRecord(world, place, rules.begin(record));
      const next = withJob(begun, place, { doing: { at: 'Begun', epoch, adopts } });
      const how = adopts === undefined ? '' : ` by adopting epoch ${adopts}`;
      return one('AgentNotes', `notes that it begins epoch ${epoch}${how}`, next);
    }
    case 'DoomOlder': {
      const { epoch } = step;
      const next = withRecord(world, place, rules.order(record, epoch));
      return one('AgentNotes', `notes that epoch ${epoch} must go`, next);
    }
    case 'NoRoom': {
      const { epoch } = step;
      const noted = withRecord(world, place, rules.confirmAbsent(record, { epoch, as: 'NoRoom' }));
      return one('AgentNotes', `notes that there is no room for epoch ${epoch}`, endLock(noted, place));
    }
    case 'Verify':
      return verify(world, acting, step.grant.epoch);
    case 'Report': {
      const { epoch } = step.grant;
      const doing = { at: 'Sending', call: { type: 'Provisioned', epoch, isVerified: true } } as const;
      const next = withJob(withRecord(world, place, rules.beginReport(record)), place, { doing });
      return one('AgentNotes', `notes that it reports epoch ${epoch}`, next);
    }
    case 'Fail':
      return one('AgentNotes', `notes that epoch ${step.epoch} failed`, giveUp(world, acting, step));
    case 'Remove':
      return [remove(world, acting, step.epoch)];
    case 'ReportFailure':
      return record.failed
        ? calls({ type: 'Failed', epoch: record.failed.epoch, class: record.failed.class })
        : [];
    case 'Deliver':
      return calls({
        type: step.absent.as === 'NoRoom' ? 'Release' : 'Terminated',
        epoch: step.absent.epoch,
      });
    default:
      return assertNever(step);
  }
}

function verify(world: World, acting: Acting, epoch: number): Move[] {
  const next = withJob(world, acting.place, { isVerified: true });
  const seen = moved(world, acting, { kind: 'Verified', said: 'sees its machine answer', next });
  if (world.budget.failure <= 0) return [seen];
  const failed = giveUp(spend(world, 'failure'), acting, { epoch, class: 'transient' });
  const said = `finds that the machine of epoch ${epoch} does not answer`;
  return [seen, moved(world, acting, { kind: 'MachineFails', said, next: failed })];
}

/** Destroys what is listed of exactly this epoch, and sweeps what a broken building may have left unlisted. */
function remove(world: World, acting: Acting, epoch: number): Move {
  const { place } = acting;
  const [p, c] = place;
  const { host } = nth(world.processes, p);
  const found = listOwn(world, place);
  const isThere = found.some((machine) => machine.epoch === epoch);
  const isHidden = machineOf(world, host, c)?.isListed === false;
  const sweeps = found.length === 0 && recordOf(world, p, c).begun === epoch && isHidden;
  const gone = isThere || sweeps ? withMachine(world, [host, c], undefined) : world;
  const what = isThere ? 'destroys its machine' : sweeps ? 'sweeps half a machine' : 'has no machine';
  const next = withJob(gone, place, { doing: { at: 'Removed', epoch } });
  return moved(world, acting, { kind: 'MachineDestroyed', said: `${what} of epoch ${epoch}`, next });
}

function send(world: World, place: Place, call: Call): World {
  const doing = { at: 'Waiting', call, sentAtMs: world.nowMs } as const;
  const offer = call.type === 'Claim' ? undefined : jobOf(world, ...place).offer;
  return request(withJob(world, place, { doing, offer }), place, { call, slot: 'Job' });
}

export function request(
  world: World,
  [process, contract]: Place,
  { call, slot }: Readonly<{ call: Call; slot: Slot }>,
): World {
  const { session } = nth(world.processes, process);
  const { incarnation } = nth(world.disks, process);
  const message: Request = {
    to: 'Facade',
    process,
    contract,
    slot,
    session,
    incarnation,
    call,
    isGhost: false,
  };
  return sent(world, message);
}

/** Nobody of this process waits for an answer any more; what it asked may still arrive. */
export function abandonAll(world: World, p: number): World {
  let next = world;
  world.contracts.forEach((_contract, c) => {
    for (const slot of ['Job', 'Keeper', 'Inventory'] as const) next = abandon(next, [p, c], slot);
  });
  return next;
}
