/** What an answer does to the process that waited for it: as locking, report, perform and lock-keeper have it. */
import { ApiProblem, ApiUnreachable } from '../../agent/api-client.ts';
import type { Outcome } from '../../agent/run/decide-answer.ts';
import { aPending } from '../../agent/testing/builders.ts';
import { uidOf } from '../../crds/contract/builders.ts';
import { contractIdOf, uidOfContractId } from '../../crds/contract/contract.ts';
import { assertNever } from '../../lib/assert.ts';
import { endLock, loseLock, machineName, orderEpoch, type Place, rest } from './agent-job.ts';
import { caseOfUid, INSTALLATION, uidOfCase } from './facade.ts';
import type { Rules } from './rules.ts';
import {
  type Answer,
  type Call,
  dateOf,
  jobOf,
  machineOf,
  nth,
  type Reply,
  type Response,
  recordOf,
  type World,
  withJob,
  withMachine,
  withProcess,
  withRecord,
} from './world.ts';

type Hearing = Readonly<{ rules: Rules; response: Response }>;

export function hear(world: World, { rules, response }: Hearing): World {
  const { slot, process: p, contract: c } = response;
  if (slot === 'Inventory') return hearInventory(world, { rules, response });
  if (slot === 'Keeper') return rest(hearKeeper(world, { rules, response }), [p, c], rules);
  const { doing } = jobOf(world, p, c);
  if (doing?.at !== 'Waiting') throw new Error('an answer that nobody waits for');
  const heard = { rules, call: response.call, reply: response.reply, sentAtMs: doing.sentAtMs };
  return rest(hearJob(withJob(world, [p, c], { doing: undefined }), [p, c], heard), [p, c], rules);
}

type Heard = Readonly<{ rules: Rules; call: Call; reply: Reply; sentAtMs: number }>;

function hearJob(world: World, place: Place, heard: Heard): World {
  const { rules, call, reply } = heard;
  const [p, c] = place;
  const record = recordOf(world, p, c);
  switch (call.type) {
    case 'Claim':
      return call.regains === undefined ? hearClaim(world, place, heard) : hearRegained(world, place, heard);
    case 'Renew':
      return hearRenewal(world, place, heard);
    case 'Provisioned':
      switch (rules.judgeReport(outcomeOf<{ then: 'Continue' | 'Destroy' }>(reply))) {
        case 'Retry':
          return world;
        case 'Destroy':
          return orderEpoch(world, place, { rules, epoch: call.epoch });
        default:
          return endLock(withRecord(world, place, rules.settle(record)), place);
      }
    case 'Failed': {
      const verdict = rules.judgeReport(outcomeOf<{ then: 'Continue' | 'Destroy' }>(reply));
      if (verdict === 'Retry') return world;
      const then = verdict === 'Destroy' ? 'Destroy' : 'Continue';
      return withRecord(world, place, rules.settleFailure(record, then));
    }
    case 'Release':
    case 'Terminated': {
      const outcome = outcomeOf<Answer>(reply);
      if ('error' in outcome && rules.judgeConfirmation(outcome) === 'Retry') return world;
      const as = call.type === 'Release' ? 'NoRoom' : 'Terminated';
      return withRecord(world, place, rules.delivered(record, { epoch: call.epoch, as }));
    }
    case 'Reconcile':
      throw new Error('a job sends no inventory');
    default:
      return assertNever(call);
  }
}

/** One offer, one claim; a lost one is repeated, a refused one is the end of the matter. */
function hearClaim(world: World, place: Place, heard: Heard): World {
  const { reply, call } = heard;
  if ('answer' in reply) return take(world, place, { ...heard, answer: reply.answer }) ?? world;
  const isPassing = 'silence' in reply || reply.problem.status >= 500;
  return isPassing ? withJob(world, place, { doing: { at: 'Sending', call } }) : world;
}

function hearRenewal(world: World, place: Place, heard: Heard): World {
  const { rules, call, reply } = heard;
  if (call.type !== 'Renew') throw new Error('no renewal');
  const { epoch } = call;
  switch (rules.judgeRenewal(renewalOf(reply))) {
    case 'Destroy':
      return orderEpoch(world, place, { rules, epoch });
    case 'Retry':
      return world;
    case 'Extend':
      return 'answer' in reply
        ? (take(world, place, { ...heard, answer: { ...reply.answer, epoch } }) ?? world)
        : world;
    case 'Lapse':
      break;
  }
  if ('problem' in reply && reply.problem.code === 'NotFound')
    return withRecord(world, place, rules.settle(recordOf(world, ...place)));
  const claim = { type: 'Claim', observedEpoch: epoch, regains: epoch } as const;
  return withJob(world, place, { doing: { at: 'Sending', call: claim } });
}

function hearRegained(world: World, place: Place, heard: Heard): World {
  const { rules, reply, call } = heard;
  if (!('answer' in reply) || call.type !== 'Claim' || call.regains === undefined) return world;
  const taken = take(world, place, { ...heard, answer: reply.answer });
  if (taken) return taken;
  const isDead = reply.answer.then === 'Destroy';
  return isDead ? orderEpoch(world, place, { rules, epoch: call.regains }) : world;
}

/** The grant is on disk before anything is done with it. Undefined: it is none, or one that was given up. */
function take(
  world: World,
  place: Place,
  { rules, answer, sentAtMs }: Pick<Heard, 'rules' | 'sentAtMs'> & Readonly<{ answer: Answer }>,
): World | undefined {
  const { acquired, epoch, expiresInMs = 0 } = answer;
  if (!acquired || epoch === undefined) return undefined;
  const contract = aPending(contractIdOf(uidOfCase(place[1])), 0);
  const record = rules.take(recordOf(world, ...place), { epoch, acceptedAt: '', contract });
  if (record.grant?.epoch !== epoch) return undefined;
  const endsAtMs = sentAtMs + expiresInMs;
  const renewAtMs = world.nowMs + expiresInMs / 3;
  const lock = { epoch, ttlMs: expiresInMs, endsAtMs, renewAtMs, sentAtMs: undefined };
  return withJob(endLock(withRecord(world, place, record), place), place, {
    lock: endsAtMs > world.nowMs ? lock : undefined,
    machines: undefined,
    isFull: false,
  });
}

function hearKeeper(world: World, { rules, response }: Hearing): World {
  const { process: p, contract: c, reply, call } = response;
  const { lock } = jobOf(world, p, c);
  if (!lock || call.type !== 'Renew' || lock.epoch !== call.epoch || lock.sentAtMs === undefined)
    return world;
  switch (rules.judgeRenewal(renewalOf(reply))) {
    case 'Extend': {
      const ttlMs = ('answer' in reply ? reply.answer.expiresInMs : undefined) ?? 0;
      const endsAtMs = lock.sentAtMs + ttlMs;
      const renewAtMs = world.nowMs + ttlMs / 3;
      if (endsAtMs <= world.nowMs) return loseLock(world, [p, c]);
      return withJob(world, [p, c], { lock: { ...lock, ttlMs, endsAtMs, renewAtMs, sentAtMs: undefined } });
    }
    case 'Lapse':
      return loseLock(world, [p, c]);
    case 'Destroy':
      return orderEpoch(endLock(world, [p, c]), [p, c], { rules, epoch: call.epoch });
    case 'Retry':
      return withJob(world, [p, c], { lock: { ...lock, sentAtMs: undefined } });
  }
}

function hearInventory(world: World, { rules, response }: Hearing): World {
  const { process: p, reply, call } = response;
  const heard = withProcess(world, p, { inventory: undefined });
  if (!('answer' in reply) || !reply.answer.orders || call.type !== 'Reconcile') return heard;
  const { agent, host } = nth(world.processes, p);
  const uid = uidOf(agent + 1);
  const { actions } = rules.decideReconcile({
    listed: call.listed,
    answer: reply.answer.orders,
    orphans: { notes: {}, destroyed: [] },
    isOwn: ({ agentUid, installation }) => installation === INSTALLATION && agentUid === uid,
    isStoppedByOrder: () => false,
    elapsedMs: 0,
    now: dateOf(world.nowMs),
    limits: { minAgeMs: 900_000, quarantineMs: 86_400_000, destroyedPerHourMax: 10 },
  });
  let next = heard;
  for (const action of actions) {
    if (action.type === 'Order') {
      const c = caseOfUid(uidOfContractId(action.contractId) ?? '');
      next = orderEpoch(next, [p, c], { rules, epoch: action.epoch });
    }
    if (action.type === 'Adopt') {
      const { machine } = action;
      const c = caseOfUid(uidOfContractId(machine.contractId) ?? '');
      const found = machineOf(next, host, c);
      const isSame = machineName(c) === machine.externalId && found?.epoch === machine.epoch;
      if (found && isSame && uidOf(found.agent + 1) === machine.agentUid)
        next = withMachine(next, [host, c], { ...found, epoch: action.epoch, agent });
    }
  }
  return next;
}

const renewalOf = (reply: Reply): Outcome<{ acquired: boolean; then: 'Continue' | 'Destroy' }> =>
  outcomeOf<{ acquired: boolean; then: 'Continue' | 'Destroy' }>(reply);

const problems = new Map<string, ApiProblem>();
const SILENCE = new ApiUnreachable('no answer');

/** As the agent's client gives it to its rules. */
function outcomeOf<A>(reply: Reply): Outcome<A> {
  if ('answer' in reply) return { answer: reply.answer as A }; // the facade handler made it for this call
  if ('silence' in reply) return { error: SILENCE };
  const { code, status, retryable, data } = reply.problem;
  const key = `${code}/${JSON.stringify(data)}`;
  const problem =
    problems.get(key) ?? new ApiProblem(status, problemBody({ code, retryable, data }), undefined);
  problems.set(key, problem);
  return { error: problem };
}

const problemBody = ({
  code,
  retryable,
  data,
}: Readonly<{ code: string; retryable: boolean; data: unknown }>) =>
  ({
    code,
    retryable,
    detail: code,
    error: code,
    ...(data === undefined ? {} : { data }),
  }) as ConstructorParameters<typeof ApiProblem>[1]; // the code is one of the table, by the facade's own word
