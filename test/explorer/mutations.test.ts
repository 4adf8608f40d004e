import { expect, test } from 'vitest';
import { explore } from './explore.ts';
import { CLAIM_WITHOUT_VERSION, EXPIRY_IGNORES_RENEWAL, NEVER_ENDS, NO_EPOCH_CHECK } from './mutations.ts';
import type { Rules } from './rules.ts';
import { worldOf } from './shape.ts';
import { wander } from './wander.ts';

type Case = Readonly<{ name: string; rules: Rules; shape: Parameters<typeof worldOf>[0]; wrong: RegExp }>;

const cases: Case[] = [
  {
    name: 'no epoch check on reports: a late machine counts',
    rules: NO_EPOCH_CHECK,
    shape: { agents: 2, isReady: true, budget: {} },
    wrong: /a report of epoch 1 counted although the contract is at epoch 2/,
  },
  {
    name: 'expiry that ignores renewal: two agents hold the lock',
    rules: EXPIRY_IGNORES_RENEWAL,
    shape: { agents: 2, isReady: true, budget: {} },
    wrong: /agent-1 and agent-2 both hold the lock/,
  },
  {
    name: 'claim without resourceVersion: an old decision overwrites another grant',
    rules: CLAIM_WITHOUT_VERSION,
    shape: { agents: 2, isReady: true, budget: { lag: 1 } },
    wrong: /agent-1 and agent-2 both hold the lock/,
  },
];

for (const { name, rules, shape, wrong } of cases)
  test(name, { timeout: 300_000 }, () => {
    const { violation = '', states } = explore(worldOf(shape), { rules, statesMax: 60_000 });
    console.log(`${name} (${states} states)\n${violation}`);
    expect(violation).toMatch(wrong);
    const lines = violation.split('\n');
    expect(lines.length).toBeLessThanOrEqual(30);
    // One line a move: its number, who did what, how the contract stands.
    for (const line of lines.slice(1, -1))
      expect(line).toMatch(
        /^ +\d+ {2}(agent-|operator|a |the |somebody|\d+ s pass).* {2}(\w+ \d+, held |new|gone)/,
      );
    expect(explore(worldOf(shape), { statesMax: 5_000 }).violation).toBeUndefined();
  });

test('what is to end never does: a quiet world comes to no good end', () => {
  const start = worldOf({ agents: 1, isReady: true, budget: { wish: 1 } });
  const options = { endsWell: true, statesMax: 5_000 };
  expect(explore(start, { ...options, rules: NEVER_ENDS }).violation).toMatch(
    /=> (a quiet world stays at|no good end in)/,
  );
  expect(explore(start, options).violation).toBeUndefined();
});

test('a random walk finds a broken rule too', () => {
  const start = worldOf({ agents: 2, isReady: true, budget: { lag: 1 } });
  let found: string | undefined;
  for (let seed = 0; seed < 300 && found === undefined; seed++)
    found = wander(start, { seed, stepsMax: 60, rules: CLAIM_WITHOUT_VERSION });
  expect(found).toMatch(/=> \w+/);
});
