/** A path as people read it: one line a move, who did what, and how the contract stands after it. */
import { uidOf } from '../../crds/contract/builders.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import { movesOf } from './moves.ts';
import type { Rules } from './rules.ts';
import { Violation } from './server.ts';
import { machineOf, nth, type World } from './world.ts';

/** Of the longest move. */
const WIDTH = 104;

/** Replays the moves from the beginning; ends with what went wrong. */
export function tell(
  start: World,
  { rules, path, wrong }: Readonly<{ rules: Rules; path: readonly number[]; wrong: string }>,
): string {
  const lines = [line(0, 'in the beginning', start)];
  let world = start;
  path.forEach((index, step) => {
    const move = nth(movesOf(world, rules), index);
    world = move.next;
    lines.push(line(step + 1, move.text, world));
  });
  return [...lines, `  => ${wrong}`].join('\n');
}

const line = (step: number, text: string, world: World): string =>
  `${String(step).padStart(3)}  ${text.padEnd(WIDTH)}  ${world.contracts.map((contract, c) => standing(contract, world, c)).join(' | ')}`;

function standing(contract: Contract | undefined, world: World, c: number): string {
  const machines = world.hosts.flatMap((_host, host) => {
    const machine = machineOf(world, host, c);
    if (!machine) return [];
    return [`${machine.isMade ? '' : 'half '}machine ${machine.epoch} of ${machine.agent + 1}`];
  });
  const standing = contract?.status
    ? [phaseOf(contract), ...machines]
    : [contract ? 'new' : 'gone', ...machines];
  return standing.join(', ');
}

function phaseOf({ status }: Contract): string {
  if (!status) return 'new';
  const { phase, epoch, holders = [], instance, lock } = status;
  const numberOf = (uid: string): number => [1, 2, 3].find((n) => uidOf(n) === uid) ?? 0;
  const held = holders.map((holder) => `${numberOf(holder.agentUID)}@${holder.epoch}`).join(' ') || '-';
  const told = instance ? `, instance ${numberOf(instance.agentUID)}@${instance.epoch}` : '';
  return `${phase} ${epoch}, held ${held}${lock ? `, lock ${numberOf(lock.agentUID)}` : ''}${told}`;
}

/** A broken rule, in the words of whoever found it; anything else is a fault of the explorer itself. */
export function wrongOf(error: unknown): string {
  if (error instanceof Violation) return error.message;
  if (error instanceof Error && error.message.startsWith('invariant broken')) return error.message;
  throw error;
}
