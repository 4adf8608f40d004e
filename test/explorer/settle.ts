/** The loop of api/settle.ts, driven at one instant: the same steps, with the world in the place of reads and writes. */
import { beginSettling, lostRace, type Rule, readLive } from '../../crds/contract/settling.ts';
import { PROBLEMS, type ProblemCode } from '../../crds/problem.ts';
import { assertNever } from '../../lib/assert.ts';
import type { Rules } from './rules.ts';
import { must, writeStatus } from './server.ts';
import { type Answer, nth, type Reply, type Request, type World } from './world.ts';

export type Lag = 'Fresh' | 'Lagging';
/** `said` is for the story. */
export type Handled = Readonly<{
  world: World;
  reply: Reply;
  said: string;
  conflicts: number;
  wrote: boolean;
}>;

export type Calling = Readonly<{ rules: Rules; request: Request; lag: Lag; agent: number }>;

export type Settled = Handled & Readonly<{ isAdopting?: boolean }>;

export function settle<A extends object>(
  world: World,
  { rules, request, lag }: Calling,
  rule: Rule<A>,
): Settled {
  const { contract: c, call } = request;
  const seen = lag === 'Fresh' ? nth(world.contracts, c) : nth(world.facade, c);
  if (!seen) return refused(world, 'NotFound');
  let state = beginSettling(seen);
  for (;;) {
    const step = rules.settleStep(state, rule);
    switch (step.next) {
      case 'Write': {
        const version = rules.versionOf(step.contract, call);
        const written = writeStatus(world, c, { status: step.contract.status, version });
        if (!written) {
          if (!nth(world.contracts, c)) return refused(world, 'NotFound');
          state = lostRace(state);
          break;
        }
        mustCount(world, request);
        const said = `written: ${step.contract.status.reason ?? ''}`;
        return { ...answered(written, step.answer, said), conflicts: state.conflicts, wrote: true };
      }
      case 'ReadLive': {
        const live = nth(world.contracts, c);
        if (!live) return { ...refused(world, 'NotFound'), conflicts: state.conflicts };
        state = readLive(state, live);
        break;
      }
      case 'Answer':
        return { ...answered(world, step.answer), conflicts: state.conflicts };
      case 'Refuse': {
        const { code, data } = step.refusal;
        return { ...refused(world, code, data), conflicts: state.conflicts };
      }
      case 'GiveUp':
        return { ...refused(world, 'Conflict'), conflicts: state.conflicts };
      default:
        return assertNever(step);
    }
  }
}

/** Oracle 2: a report with an epoch that is not the contract's changes nothing. */
function mustCount(world: World, { call, contract: c }: Request): void {
  if (call.type !== 'Provisioned' && call.type !== 'Failed') return;
  const epoch = nth(world.contracts, c)?.status?.epoch;
  must(
    epoch === call.epoch,
    `a report of epoch ${call.epoch} counted although the contract is at epoch ${epoch}`,
  );
}

export function answered(world: World, answer: object, said = ''): Settled {
  const { acquired, epoch, expiresInMs, then, adopt } = answer as Answer & { adopt?: boolean }; // the members of all answers
  const kept: Answer = {
    ...(acquired === undefined ? {} : { acquired }),
    ...(epoch === undefined ? {} : { epoch }),
    ...(expiresInMs === undefined ? {} : { expiresInMs }),
    ...(then === undefined ? {} : { then }),
  };
  const text = `${acquired ? `lock of epoch ${epoch} ` : ''}${then ?? 'OK'}`;
  return {
    world,
    reply: { answer: kept },
    said: said ? `${said}; answers ${text}` : `answers ${text}`,
    conflicts: 0,
    wrote: false,
    ...(adopt === undefined ? {} : { isAdopting: adopt }),
  };
}

export function refused(world: World, code: ProblemCode, data?: unknown): Handled {
  const { status, retryable } = PROBLEMS[code];
  const then = data !== null && typeof data === 'object' && 'then' in data ? { then: data.then } : undefined;
  const reply = { problem: { code, status, retryable, data: then } };
  return { world, reply, said: `refuses: ${code}`, conflicts: 0, wrote: false };
}
