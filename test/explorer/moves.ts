/** Everything that can happen next, in a fixed order, so that a path is told by the numbers of its moves. */

import type { Move } from './move.ts';
import { networkMoves } from './network.ts';
import { operatorMoves } from './operators.ts';
import { processMoves } from './processes.ts';
import type { Rules } from './rules.ts';
import { store } from './server.ts';
import { timeMoves } from './time.ts';
import { dateOf, nth, spend, type World } from './world.ts';

export const movesOf = (world: World, rules: Rules): Move[] => [
  ...networkMoves(world, rules),
  ...processMoves(world, rules),
  ...operatorMoves(world, rules),
  ...cacheMoves(world),
  ...wishes(world),
  ...revocations(world),
  ...drains(world),
  ...timeMoves(world, rules),
];

function cacheMoves(world: World): Move[] {
  if (world.budget.lag <= 0) return [];
  return world.contracts.flatMap((contract, c) =>
    nth(world.facade, c) === contract
      ? []
      : [
          {
            kind: 'CacheSees',
            text: 'the lagging facade catches up',
            next: { ...world, facade: world.facade.with(c, contract) },
          },
        ],
  );
}

function wishes(world: World): Move[] {
  if (world.budget.wish <= 0) return [];
  const moves: Move[] = [];
  world.contracts.forEach((contract, c) => {
    if (!contract || contract.spec.cancel || contract.metadata.deletionTimestamp) return;
    const generation = (contract.metadata.generation ?? 1) + 1;
    const metadata = { ...contract.metadata, generation };
    const spec = { ...contract.spec, cancel: { requested: true } };
    moves.push({
      kind: 'TenantEnds',
      text: 'the tenant cancels',
      next: store(spend(world, 'wish'), c, { ...contract, metadata, spec }),
    });
    // Without a finalizer it goes at once.
    const isKept = (contract.metadata.finalizers ?? []).length > 0;
    const deletionTimestamp = dateOf(world.nowMs).toISOString();
    const deleted = { ...contract, metadata: { ...metadata, deletionTimestamp } };
    moves.push({
      kind: 'TenantEnds',
      text: 'somebody deletes the contract',
      next: store(spend(world, 'wish'), c, isKept ? deleted : undefined),
    });
  });
  return moves;
}

/** Its process is cut off and ends; another agent of the same hypervisor may inherit. */
function revocations(world: World): Move[] {
  if (world.budget.revoke <= 0) return [];
  const revoked = world.revoked.with(0, true);
  return [{ kind: 'AgentRevoked', text: 'agent-1 is revoked', next: { ...spend(world, 'revoke'), revoked } }];
}

/** What it has is moved to another agent; it goes on until then, and destroys what was moved. */
function drains(world: World): Move[] {
  if (world.budget.drain <= 0) return [];
  const drained = world.drained.with(0, true);
  const text = 'agent-1 is drained, and its deadline is over';
  return [{ kind: 'AgentDrained', text, next: { ...spend(world, 'drain'), drained } }];
}
