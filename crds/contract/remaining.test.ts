import { describe, expect, test } from 'vitest';
import type { Agent } from '../agent.ts';
import { aContract, aHolder, aLock, anAgent, at, NOON, someTerms, uidOf } from './builders.ts';
import type { LiveContract } from './contract.ts';
import { drainDueMs, MOVABLE, remainingAt, remainingOf } from './remaining.ts';

const instance = { agentUID: uidOf(1), epoch: 1, externalId: 'vm-1' };
const held = { epoch: 1, holders: [aHolder(1, 1)] };
const ENDS = at(7200).toISOString();
const running = (change: Partial<LiveContract['status']> = {}, allowRecreation = true): LiveContract =>
  aContract(
    'Active',
    { ...held, instance, endsAt: ENDS, ...change },
    { spec: { termsSnapshot: someTerms({ allowRecreation }) } },
  );
const noOther = {
  type: MOVABLE,
  status: 'False' as const,
  reason: 'NoOtherAgent',
  message: 'nobody has room',
  lastTransitionTime: NOON.toISOString(),
};
const DUE = { drainBy: at(-1).toISOString() };

type Case = {
  name: string;
  agent?: Partial<Agent['spec']>;
  contract: LiveContract;
  want: string | undefined;
  says?: RegExp;
};
const cases: Case[] = [
  { name: 'nothing of it', contract: aContract('Active', { holders: [aHolder(2, 1)] }), want: undefined },
  {
    name: 'the agent was revoked',
    agent: { revoked: true, ...DUE },
    contract: running(),
    want: 'Unattended',
    says: /vm-1/,
  },
  { name: 'it ends', contract: aContract('Terminating', { ...held, instance }), want: 'Ending' },
  {
    name: 'built elsewhere since; the old machine is still to go',
    contract: running({
      epoch: 2,
      holders: [aHolder(1, 1), aHolder(2, 2)],
      instance: { ...instance, agentUID: uidOf(2), epoch: 2 },
    }),
    want: 'Superseded',
  },
  {
    name: 'moved and not yet claimed',
    contract: aContract('Accepted', { ...held, epoch: 2 }),
    want: 'Superseded',
  },
  { name: 'free after a mere expiry', contract: aContract('Accepted', held), want: 'BeingBuilt' },
  {
    name: 'being built',
    contract: aContract('Provisioning', { ...held, lock: aLock(1) }),
    want: 'BeingBuilt',
  },
  { name: 'being verified', contract: aContract('Provisioned', { ...held, instance }), want: 'BeingBuilt' },
  {
    name: 'paused',
    agent: DUE,
    contract: { ...running(), status: { ...running().status, phase: 'Paused' } },
    want: 'Paused',
  },
  {
    name: 'its data would be lost',
    agent: DUE,
    contract: running({}, false),
    want: 'NotMovable',
    says: new RegExp(`stays until it ends at ${ENDS}`),
  },
  { name: 'no deadline', contract: running(), want: 'NoDeadline', says: new RegExp(ENDS) },
  {
    name: 'before the deadline',
    agent: { drainBy: at(60).toISOString() },
    contract: running(),
    want: 'BeforeDeadline',
  },
  {
    name: 'due, and nobody else',
    agent: DUE,
    contract: running({ conditions: [noOther] }),
    want: 'NoOtherAgent',
    says: /nobody has room/,
  },
  { name: 'due', agent: DUE, contract: running(), want: 'Moving' },
];
describe('what remains at an agent that is drained or was revoked', () => {
  for (const { name, agent, contract, want, says = /./ } of cases)
    test(`${name}: ${want ?? 'nothing'}`, () => {
      const remains = remainingAt(contract, { agent: anAgent(1, { draining: true, ...agent }), now: NOON });
      expect(remains?.reason).toBe(want);
      if (want) expect(remains?.message).toMatch(says);
    });

  test('is listed by name', () => {
    const named = (name: string) => ({ ...running(), metadata: { ...running().metadata, name } });
    const contracts = [named('b'), aContract('Active', {}), named('a')];
    expect(
      remainingOf(anAgent(1, { draining: true }), { contracts, now: NOON }).map(
        ({ contract }) => contract.metadata.name,
      ),
    ).toEqual(['a', 'b']);
  });
});

test('only a deadline that is to come changes something by itself', () => {
  const due = (spec: Partial<Agent['spec']>) => drainDueMs(anAgent(1, spec), NOON);
  expect(due({ draining: true, drainBy: at(60).toISOString() })).toBe(at(60).getTime());
  expect(due({ draining: true, ...DUE })).toBeUndefined();
  expect(due({ drainBy: at(60).toISOString() })).toBeUndefined();
});
