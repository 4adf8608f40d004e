/** What is on its way between agents and facades: it arrives, is lost, comes twice or late. */

import { hear } from './agent-hears.ts';
import { handle } from './facade.ts';
import type { Move } from './move.ts';
import type { Rules } from './rules.ts';
import type { Lag } from './settle.ts';
import {
  describe,
  nameOf,
  nth,
  type Request,
  type Response,
  sent,
  spend,
  type World,
  without,
} from './world.ts';

export const networkMoves = (world: World, rules: Rules): Move[] =>
  world.network.flatMap((message) =>
    message.to === 'Agent'
      ? [arrives(world, rules, message)]
      : requestMoves(world, { rules, request: message }),
  );

function arrives(world: World, rules: Rules, response: Response): Move {
  const next = hear(without(world, response), { rules, response });
  return {
    kind: 'AgentHears',
    text: `${nameOf(world, response)} hears about its ${describe(response.call)}`,
    next,
  };
}

function requestMoves(
  world: World,
  { rules, request }: Readonly<{ rules: Rules; request: Request }>,
): Move[] {
  const moves: Move[] = [];
  const isLagging = nth(world.facade, request.contract) !== nth(world.contracts, request.contract);
  const lags: Lag[] = isLagging && world.budget.lag > 0 ? ['Fresh', 'Lagging'] : ['Fresh'];
  const who = nameOf(world, request);
  const mayFail = world.budget.network > 0 && !request.isGhost;
  for (const lag of lags) {
    const handled = handle(without(world, request), { rules, request, lag });
    const facade = lag === 'Fresh' ? 'a facade' : 'a lagging facade';
    const late = request.isGhost ? 'late ' : '';
    const text = `${facade} takes ${who}'s ${late}${describe(request.call)}, ${handled.said}`;
    const { isGhost, ...address } = request;
    const response: Response = { ...address, to: 'Agent', reply: handled.reply };
    const kind =
      handled.conflicts > 0
        ? 'FacadeLosesRace'
        : handled.wrote
          ? 'FacadeWrites'
          : 'problem' in handled.reply
            ? 'FacadeRefuses'
            : 'FacadeAnswers';
    const next = isGhost ? handled.world : sent(handled.world, response);
    moves.push({ kind, text, next });
    if (!mayFail) continue;
    const silent: Response = { ...response, reply: { silence: true } };
    moves.push({
      kind: 'ReplyLost',
      text: `${text}; the reply is lost`,
      next: hear(spend(handled.world, 'network'), { rules, response: silent }),
    });
    moves.push({
      kind: 'RequestDoubled',
      text: `${text}; a copy of the request is still on its way`,
      next: spend(sent(next, { ...request, isGhost: true }), 'network'),
    });
  }
  if (!mayFail) return moves;
  const { isGhost, ...address } = request;
  const silent: Response = { ...address, to: 'Agent', reply: { silence: true } };
  const lost = spend(without(world, request), 'network');
  moves.push({
    kind: 'RequestLost',
    text: `${who}'s ${describe(request.call)} is lost`,
    next: hear(lost, { rules, response: silent }),
  });
  moves.push({
    kind: 'RequestLate',
    text: `${who} waits no longer for its ${describe(request.call)}, which is still on its way`,
    next: hear(sent(lost, { ...request, isGhost: true }), { rules, response: silent }),
  });
  return moves;
}
