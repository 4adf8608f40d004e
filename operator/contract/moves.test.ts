/** Every pair of phases: facade and operator write what the table gives to them, and refuse the rest in its words. */
import { expect, test } from 'vitest';
import { aContract } from '../../crds/contract/builders.ts';
import {
  type ContractPhase,
  FIRST_PHASES,
  illegalMoveMessage,
  MOVES,
  type MoveWriter,
  PHASES,
} from '../../crds/contract/phase.ts';
import { beginSettling, settleStep } from '../../crds/contract/settling.ts';
import { statusToWrite } from './apply.ts';

const said = (write: () => unknown): string => {
  try {
    write();
    return 'written';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};
/** A rule that wants the move, through what the facade writes with; a decision for it, through the operator's. */
const WRITE: Readonly<Record<MoveWriter, (from: ContractPhase, to: ContractPhase) => unknown>> = {
  facade: (from, to) =>
    settleStep(beginSettling(aContract(from)), () => ({
      outcome: 'Write',
      status: { ...aContract(to).status, message: 'moved' },
      answer: 'ok',
    })),
  operator: (from, to) =>
    statusToWrite(
      { before: [], after: [], status: { ...aContract(to).status, message: 'moved' } },
      aContract(from),
    ),
};

test.each(['facade', 'operator'] as const)('the %s makes its own moves and no other', (writer) => {
  const wrong: string[] = [];
  for (const from of PHASES)
    for (const to of PHASES) {
      const isIts = from === to || (MOVES[from][to]?.includes(writer) ?? false);
      const verdict = said(() => WRITE[writer](from, to));
      const isRight = isIts ? verdict === 'written' : verdict.includes(illegalMoveMessage(from, to));
      if (!isRight) wrong.push(`${from} > ${to}: ${verdict}`);
    }
  expect(wrong).toEqual([]);
});

test('a first status is the operator’s, and Requested or Accepted', () => {
  const { status: _none, ...unseen } = aContract();
  for (const to of PHASES) {
    const decision = { before: [], after: [], status: aContract(to).status };
    const verdict = said(() => statusToWrite(decision, unseen));
    if (FIRST_PHASES.includes(to)) expect(verdict).toBe('written');
    else expect(verdict).toContain('a contract begins as Requested or Accepted');
  }
});
