/** The checker itself: it must say no. A register and a lock that grants each epoch once. */
import { expect, test } from 'vitest';
import { aContract, anAgent, aPool } from '../../crds/contract/builders.ts';
import { judgeHistory, type Model, type Operation } from './linearizable.ts';
import { type Call, lockModel, type Said } from './lock-model.ts';

type Access = Readonly<{ write: number } | 'read'>;
const register: Model<number, Access, number> = {
  initial: 0,
  apply: (state, input) => {
    const next = input === 'read' ? state : input.write;
    return { state: next, output: next };
  },
  keyOf: String,
  isSame: (a, b) => a === b,
};
type Step = readonly [input: Access, calledAt: number, answeredAt: number, output?: number];
const cases: readonly Readonly<{ name: string; steps: readonly Step[]; want: boolean }>[] = [
  {
    name: 'one after the other',
    steps: [
      [{ write: 1 }, 0, 1, 1],
      ['read', 2, 3, 1],
    ],
    want: true,
  },
  {
    name: 'a read of the past',
    steps: [
      [{ write: 1 }, 0, 1, 1],
      ['read', 2, 3, 0],
    ],
    want: false,
  },
  {
    name: 'a read beside a write sees either',
    steps: [
      [{ write: 1 }, 0, 9, 1],
      ['read', 2, 3, 0],
    ],
    want: true,
  },
  {
    name: 'two reads beside a write, the later one older',
    steps: [
      [{ write: 1 }, 0, 9, 1],
      ['read', 1, 2, 1],
      ['read', 3, 4, 0],
    ],
    want: false,
  },
  {
    name: 'a lost answer took effect',
    steps: [
      [{ write: 1 }, 0, 1],
      ['read', 2, 3, 1],
    ],
    want: true,
  },
  {
    name: 'a lost answer never took effect',
    steps: [
      [{ write: 1 }, 0, 1],
      ['read', 2, 3, 0],
    ],
    want: true,
  },
  {
    name: 'a lost answer took effect late, but only once',
    steps: [
      [{ write: 1 }, 0, 1],
      ['read', 2, 3, 0],
      ['read', 4, 5, 1],
      ['read', 6, 7, 0],
    ],
    want: false,
  },
  {
    name: 'what nobody wrote',
    steps: [
      ['read', 0, 9, 7],
      [{ write: 1 }, 0, 9, 1],
    ],
    want: false,
  },
  {
    name: 'an answer that may be about the past',
    steps: [
      [{ write: 1 }, 0, 1, 1],
      ['read', -Infinity, 3, 0],
    ],
    want: true,
  },
];
for (const { name, steps, want } of cases)
  test(name, () => {
    const history = steps.map(([input, calledAt, answeredAt, output]) => ({
      input,
      calledAt,
      answeredAt,
      output,
    }));
    expect(judgeHistory(register, history).linearizable).toBe(want);
  });

const NOW = new Date('2026-01-01T12:00:00.000Z');
const model = lockModel(aContract(), {
  agents: [anAgent(0), anAgent(1)],
  session: (agent) => `session-${agent}`,
  pool: aPool(),
  now: NOW,
});
const said = (
  input: Call,
  [calledAt, answeredAt]: readonly [number, number],
  output: Said,
): Operation<Call, Said> => ({
  input,
  calledAt,
  answeredAt,
  output,
});
const granted = (epoch: number): Said => ({ acquired: true, epoch, then: 'Continue' });
const claimOf = (agent: number): Call => ({ kind: 'claim', agent, epoch: undefined });

test('the lock: two agents are granted one epoch by nobody', () => {
  const judged = judgeHistory(model, [
    said(claimOf(0), [0, 5], granted(1)),
    said(claimOf(1), [1, 6], granted(1)),
  ]);
  expect(judged).toMatchObject({ linearizable: false, stuck: [{ expected: { code: 'LockHeld' } }] });
});

test('the lock: granted, given up, granted to the other with a new epoch', () => {
  const history = [
    said(claimOf(0), [0, 1], granted(1)),
    said({ kind: 'release', agent: 0, epoch: 1 }, [2, 9], { released: true, then: 'Continue' }),
    said(claimOf(1), [3, 8], granted(3)),
  ];
  expect(judgeHistory(model, history).linearizable).toBe(true);
  expect(
    judgeHistory(model, history.toSpliced(2, 1, said(claimOf(1), [3, 8], granted(2)))).linearizable,
  ).toBe(false);
});

test('the lock: a claim whose answer was lost may be refused now and granted later', () => {
  const lost = { input: claimOf(1), output: undefined, calledAt: 0, answeredAt: 1 };
  const history = [
    said(claimOf(0), [0, 1], granted(1)),
    lost,
    said({ kind: 'renew', agent: 0, epoch: 1 }, [2, 3], granted(1)),
    said({ kind: 'release', agent: 0, epoch: 1 }, [4, 5], { released: true, then: 'Continue' }),
    said(claimOf(0), [6, 7], { code: 'LockHeld' }),
  ];
  expect(judgeHistory(model, history).linearizable).toBe(true);
  expect(judgeHistory(model, history.toSpliced(1, 1)).linearizable).toBe(false);
});

test('the lock: a report of an epoch that was given up is not taken', () => {
  const history = [
    said(claimOf(0), [0, 1], granted(1)),
    said({ kind: 'release', agent: 0, epoch: 1 }, [2, 3], { released: true, then: 'Continue' }),
    said({ kind: 'provisioned', agent: 0, epoch: 1 }, [4, 5], { then: 'Continue' }),
  ];
  expect(judgeHistory(model, history)).toMatchObject({
    linearizable: false,
    stuck: [{ expected: { code: 'StaleEpoch' } }],
  });
});
