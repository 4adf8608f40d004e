import { expect, test } from 'vitest';
import { aClaimant, aContract, aHolder, at, CONTRACT_UID, uidOf } from './builders.ts';
import { contractIdOf } from './contract.ts';
import { inherit } from './inherit.ts';
import { judgeInventory } from './inventory.ts';

const instance = { agentUID: uidOf(2), epoch: 3, externalId: 'dc-1' };
const active = aContract('Active', {
  epoch: 3,
  instance,
  holders: [aHolder(2, 2), aHolder(2, 3)],
  endsAt: at(60).toISOString(),
});
const passed = inherit(active, { from: uidOf(2), heir: aClaimant(1), epoch: 3, now: at(30) });

test('all entries and the instance pass, so that the adopted machine is kept', () => {
  if (passed.outcome !== 'Write') throw new Error(passed.outcome);
  expect(passed.status).toMatchObject({
    holders: [aHolder(1, 2), aHolder(1, 3)],
    instance: { ...instance, agentUID: uidOf(1) },
    agent: 'agent-1',
  });
  expect(passed.status.history?.at(-1)).toMatchObject({
    at: at(30).toISOString(),
    to: 'Active',
    by: 'agent-1',
    reason: 'Inherited',
  });
  const after = { ...active, status: passed.status };
  const tagged = { externalId: 'dc-1', contractId: contractIdOf(CONTRACT_UID), epoch: 3, agentUid: uidOf(1) };
  const answer = judgeInventory({
    agentUID: uidOf(1),
    installation: 'here',
    listed: [tagged],
    owed: [],
    isRevoked: (uid) => uid === uidOf(2),
    contractOf: () => after,
    heldBy: [after],
  });
  expect(answer).toMatchObject({ keep: [{ externalId: 'dc-1' }], unknown: [] });
});

test('a second agent that lists the same machine does not get it', () => {
  if (passed.outcome !== 'Write') throw new Error(passed.outcome);
  const after = { status: passed.status };
  const again = (n: number) => inherit(after, { from: uidOf(2), heir: aClaimant(n), epoch: 3, now: at(31) });
  expect(again(3)).toMatchObject({ outcome: 'Answer', answer: { adopt: false }, final: true });
  expect(again(1)).toMatchObject({ outcome: 'Answer', answer: { adopt: true } });
});
