/**
 * The one table of moves of a contract. Operator, facade, CLI, web and the CRD's CEL rules all read it; nobody
 * else asks `phase === …` to find out what is allowed. Source: docs/contract.md, "Moves".
 *
 *   (new) → Requested → Accepted → Provisioning → Provisioned → Active ⇄ Paused
 *                 ↓         ↓ ↑________↓_____________↓__________↓
 *              Rejected   Cancelled · Expired · Failed ← Terminating ← (from any phase with holders)
 */
import { invariant } from '../../lib/assert.ts';

export const PHASES = [
  'Requested',
  'Accepted',
  'Provisioning',
  'Provisioned',
  'Active',
  'Paused',
  'Terminating',
  'Rejected',
  'Cancelled',
  'Expired',
  'Failed',
] as const;
export type ContractPhase = (typeof PHASES)[number];

/** Who writes a move: the facade on behalf of an agent, or the operator. */
export type MoveWriter = 'facade' | 'operator';

const BOTH: readonly MoveWriter[] = ['facade', 'operator'];
const FACADE: readonly MoveWriter[] = ['facade'];
const OPERATOR: readonly MoveWriter[] = ['operator'];

export const MOVES: Readonly<
  Record<ContractPhase, Readonly<Partial<Record<ContractPhase, readonly MoveWriter[]>>>>
> = {
  Requested: { Accepted: OPERATOR, Rejected: OPERATOR, Cancelled: OPERATOR, Expired: OPERATOR },
  Accepted: {
    Provisioning: FACADE,
    Provisioned: FACADE,
    Cancelled: OPERATOR,
    Expired: OPERATOR,
    Failed: OPERATOR,
    Terminating: OPERATOR,
  },
  Provisioning: { Provisioned: FACADE, Accepted: BOTH, Terminating: OPERATOR },
  Provisioned: { Active: OPERATOR, Accepted: OPERATOR, Terminating: OPERATOR },
  Active: { Paused: OPERATOR, Terminating: OPERATOR, Accepted: OPERATOR },
  Paused: { Active: OPERATOR, Terminating: OPERATOR },
  Terminating: { Cancelled: OPERATOR, Expired: OPERATOR, Failed: OPERATOR },
  Failed: { Accepted: OPERATOR },
  Rejected: {},
  Cancelled: {},
  Expired: {},
};

/** What a first status may be. */
export const FIRST_PHASES: readonly ContractPhase[] = ['Requested', 'Accepted'];

export const ENDED_PHASES = ['Rejected', 'Cancelled', 'Expired', 'Failed'] as const satisfies ContractPhase[];

/** Staying where one is, is always allowed. */
export const isLegalMove = (from: ContractPhase, to: ContractPhase): boolean =>
  from === to || MOVES[from][to] !== undefined;

export const mayMove = (
  writer: MoveWriter,
  { from, to }: Readonly<{ from: ContractPhase; to: ContractPhase }>,
): boolean => from === to || (MOVES[from][to]?.includes(writer) ?? false);

/**
 * Asked before each write of a status: neither of the two ever makes a move that is not its own, whatever a rule
 * said. Throws in the words of the API server. `from` is undefined for a first status.
 */
export function requireMove(
  writer: MoveWriter,
  { from, to }: Readonly<{ from: ContractPhase | undefined; to: ContractPhase }>,
): void {
  if (from === undefined)
    invariant(
      writer === 'operator' && FIRST_PHASES.includes(to),
      'a contract begins as Requested or Accepted',
    );
  else invariant(mayMove(writer, { from, to }), illegalMoveMessage(from, to));
}

const ENDED: ReadonlySet<ContractPhase> = new Set(ENDED_PHASES);
export const hasEnded = (phase: ContractPhase): boolean => ENDED.has(phase);

/** Nothing of an earlier epoch can become valid again: what is still there must be destroyed. */
export const isEnding = (phase: ContractPhase): boolean => phase === 'Terminating' || hasEnded(phase);

/** The same sentence from API server, facade and operator. */
export function illegalMoveMessage(from: ContractPhase, to: ContractPhase): string {
  return `a contract cannot go from ${from} to ${to}`;
}
