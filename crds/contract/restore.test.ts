import { expect, test } from 'vitest';
import { aContract, aHolder, aLock, NOON } from './builders.ts';
import type { LiveContract } from './contract.ts';
import { resolveRestored } from './restore.ts';
import { aMachine, finished, gist, running, someFacts, stored } from './restore-builders.ts';
import type { RestoredFacts } from './restore-facts.ts';

type Case = Readonly<{
  name: string;
  contract: LiveContract;
  facts: Partial<RestoredFacts>;
  want: readonly Partial<ReturnType<typeof gist>>[];
}>;

const ended = { epoch: 3, reason: 'CancelledByTenant' };

const cases: readonly Case[] = [
  {
    name: 'nothing is known of it: it waits on',
    contract: aContract('Accepted', { epoch: 2 }),
    facts: {},
    want: [],
  },
  {
    name: 'it was built after the backup: PostgreSQL names the machine, its agent lists it',
    contract: aContract('Accepted', { epoch: 0 }),
    facts: { inStore: stored(1, 1), listed: [aMachine(1, 1)] },
    want: [{ phase: 'Provisioned', epoch: 1, machine: 'dc-1@1', holders: ['agent-1@1'] }],
  },
  {
    name: 'it was reported while PostgreSQL was down: the finished machine counts',
    contract: aContract('Provisioning', { epoch: 1, lock: aLock(1), holders: [aHolder(1, 1)] }),
    facts: { listed: [finished(1, 1)] },
    want: [{ phase: 'Provisioned', epoch: 1, machine: 'dc-1@1', holders: ['agent-1@1'] }],
  },
  {
    name: 'a machine that nobody finished is none; the contract is free above every earlier epoch',
    contract: aContract('Provisioning', { epoch: 1, lock: aLock(1), holders: [aHolder(1, 1)] }),
    facts: { listed: [aMachine(1, 1)] },
    want: [{ phase: 'Accepted', epoch: 1_000_000, machine: undefined, holders: ['agent-1@1'] }],
  },
  {
    name: 'a lister of half a machine becomes a holder below the epoch, and is asked to destroy it',
    contract: aContract('Accepted', { epoch: 1 }),
    facts: { listed: [aMachine(2, 2)] },
    want: [{ phase: 'Accepted', epoch: 1_000_000, holders: ['agent-2@2'] }],
  },
  {
    name: 'a takeover after the backup: the machine of PostgreSQL wins, the first agent keeps its entry',
    contract: aContract('Provisioning', { epoch: 1, lock: aLock(1), holders: [aHolder(1, 1)] }),
    facts: { inStore: stored(2, 2), listed: [aMachine(1, 1), aMachine(2, 2)] },
    want: [{ phase: 'Provisioned', epoch: 2, machine: 'dc-2@2', holders: ['agent-1@1', 'agent-2@2'] }],
  },
  {
    name: 'a move after the backup, from a running machine to another one',
    contract: aContract('Active', running(1, 1)),
    facts: { inStore: stored(2, 3), listed: [aMachine(2, 3)] },
    want: [
      { phase: 'Accepted', epoch: 1, machine: undefined },
      { phase: 'Provisioned', epoch: 3, machine: 'dc-2@3', holders: ['agent-1@1', 'agent-2@3'] },
    ],
  },
  {
    name: 'a paused one goes the long way',
    contract: aContract('Paused', running(1, 1)),
    facts: { inStore: stored(2, 3), listed: [aMachine(2, 3)] },
    want: [{ phase: 'Active' }, { phase: 'Accepted' }, { phase: 'Provisioned', machine: 'dc-2@3' }],
  },
  {
    name: 'what is right stays as it is',
    contract: aContract('Active', running(1, 1)),
    facts: { inStore: stored(1, 1), listed: [aMachine(1, 1)] },
    want: [],
  },
  {
    name: 'a second lister beside the right machine becomes a holder, to be destroyed one day',
    contract: aContract('Active', running(1, 3)),
    facts: { inStore: stored(1, 3), listed: [aMachine(1, 3), finished(2, 2)] },
    want: [{ phase: 'Active', epoch: 3, machine: 'dc-1@3', holders: ['agent-1@3', 'agent-2@2'] }],
  },
  {
    name: 'of two finished machines the higher epoch counts',
    contract: aContract('Accepted', { epoch: 1 }),
    facts: { listed: [finished(1, 2), finished(2, 3)] },
    want: [{ phase: 'Provisioned', machine: 'dc-2@3', holders: ['agent-1@2', 'agent-2@3'] }],
  },
  {
    name: 'a finished machine below the epoch was superseded and stays so',
    contract: aContract('Accepted', { epoch: 4 }),
    facts: { inStore: stored(1, 3), listed: [finished(1, 3)] },
    want: [{ phase: 'Accepted', epoch: 4, machine: undefined, holders: ['agent-1@3'] }],
  },
  {
    name: 'a machine that PostgreSQL knows to be moved is nobody’s any more',
    contract: aContract('Accepted', { epoch: 0 }),
    facts: { closed: [{ epoch: 1, externalId: 'dc-1' }], listed: [finished(1, 1)] },
    want: [{ phase: 'Accepted', epoch: 1_000_000, machine: undefined }],
  },
  {
    name: 'PostgreSQL’s machine is gone from the list of its agent: another finished one counts',
    contract: aContract('Accepted', { epoch: 0 }),
    facts: { inStore: stored(1, 1), listed: [finished(2, 2)] },
    want: [{ phase: 'Provisioned', machine: 'dc-2@2' }],
  },
  {
    name: 'a person goes on without the agent: its machine stays the tenant’s, no second one is built',
    contract: aContract('Accepted', { epoch: 0 }),
    facts: { inStore: stored(1, 1), hasListed: () => false, agentOf: () => undefined },
    want: [{ phase: 'Provisioned', epoch: 1, machine: 'dc-1@1', holders: ['unknown@1'] }],
  },
  {
    name: 'a running one whose machine is not listed is left alone: a listing alone proves no loss',
    contract: aContract('Active', running(1, 1)),
    facts: {},
    want: [],
  },
  {
    name: 'an ended contract is ended again, and its machine goes by the usual way',
    contract: aContract('Active', running(1, 3)),
    facts: { ended, listed: [aMachine(1, 3)] },
    want: [{ phase: 'Terminating', epoch: 3, holders: ['agent-1@3'] }],
  },
  {
    name: 'one that ended while it was built',
    contract: aContract('Provisioning', { epoch: 1, lock: aLock(1), holders: [aHolder(1, 1)] }),
    facts: { ended, listed: [finished(2, 3)] },
    want: [{ phase: 'Terminating', epoch: 1, holders: ['agent-1@1', 'agent-2@3'] }],
  },
  {
    name: 'a request that was rejected after the backup',
    contract: aContract('Requested'),
    facts: { ended: { epoch: 0, phase: 'Rejected', reason: 'Rejected' } },
    want: [{ phase: 'Rejected' }],
  },
  {
    name: 'an end that a retry followed is none: the machine is newer',
    contract: aContract('Accepted', { epoch: 1 }),
    facts: { ended, inStore: stored(2, 5), listed: [aMachine(2, 5)] },
    want: [{ phase: 'Provisioned', epoch: 5, machine: 'dc-2@5' }],
  },
  {
    name: 'failed here, retried and built there',
    contract: aContract('Failed', { epoch: 3, holders: [] }),
    facts: { ended, inStore: stored(2, 5), listed: [aMachine(2, 5)] },
    want: [{ phase: 'Accepted' }, { phase: 'Provisioned', epoch: 5, machine: 'dc-2@5' }],
  },
  {
    name: 'what ends here has a holder more',
    contract: aContract('Terminating', running(1, 1)),
    facts: { inStore: stored(2, 2), listed: [finished(2, 2)] },
    want: [{ phase: 'Terminating', holders: ['agent-1@1', 'agent-2@2'] }],
  },
  {
    name: 'a request that was accepted and built',
    contract: aContract('Requested'),
    facts: { inStore: stored(1, 1), listed: [aMachine(1, 1)] },
    want: [{ phase: 'Accepted' }, { phase: 'Provisioned', machine: 'dc-1@1' }],
  },
  {
    name: 'nobody takes a contract over by listing an epoch that is not proven to be granted',
    contract: aContract('Accepted', { epoch: 0 }),
    facts: { listed: [{ ...finished(2, 1), isProven: undefined }] },
    want: [],
  },
  {
    name: 'PostgreSQL names the machine of one agent: another’s of the same name is not it',
    contract: aContract('Accepted', { epoch: 0 }),
    facts: { inStore: stored(1, 1), listed: [aMachine(1, 1), { ...finished(2, 1), externalId: 'dc-1' }] },
    want: [{ phase: 'Provisioned', epoch: 1, machine: 'dc-1@1', holders: ['agent-1@1', 'agent-2@1'] }],
  },
  {
    name: 'no epoch of the new generation was granted yet',
    contract: aContract('Accepted', { epoch: 0 }),
    facts: {
      listed: [
        { ...finished(1, 1), epoch: 1_000_000 },
        { ...finished(2, 1), epoch: 2 ** 53 - 1 },
      ],
    },
    want: [],
  },
  {
    name: 'a machine whose agent etcd has as its holder needs no proof',
    contract: aContract('Provisioning', { epoch: 1, lock: aLock(1), holders: [aHolder(1, 1)] }),
    facts: { listed: [{ ...finished(1, 1), isProven: undefined }] },
    want: [{ phase: 'Provisioned', machine: 'dc-1@1' }],
  },
  {
    name: 'what ended here ended everywhere',
    contract: aContract('Cancelled', { epoch: 1 }),
    facts: { listed: [finished(1, 1)] },
    want: [],
  },
];

for (const { name, contract, facts, want } of cases)
  test(name, () => expect(resolveRestored(contract, someFacts(facts)).map(gist)).toMatchObject(want));

test('a pause that a restore ends is credited, whatever becomes of the contract', () => {
  const contract = aContract('Paused', { ...running(1, 1), pausedAt: NOON.toISOString() });
  for (const facts of [{ inStore: stored(2, 3), listed: [aMachine(2, 3)] }, { ended }]) {
    const now = new Date(NOON.getTime() + 3_600_000);
    expect(resolveRestored(contract, someFacts({ ...facts, now })).at(-1)?.pausedMs).toBe(3_600_000);
  }
});
