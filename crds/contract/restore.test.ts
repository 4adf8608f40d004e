import { describe, expect, test } from 'vitest';
import { aContract, aHolder, aLock, at, uidOf } from './builders.ts';
import type { LiveContract } from './contract.ts';
import { resolveRestored } from './restore.ts';
import type { RestoredFacts, RestoredMachine } from './restore-facts.ts';
import type { ContractStatus } from './status.ts';

const aMachine = (n: number, epoch: number, change: Partial<RestoredMachine> = {}): RestoredMachine => ({
  agent: `agent-${n}`,
  agentUID: uidOf(n),
  epoch,
  externalId: `dc-${n}`,
  createdAt: at(epoch).toISOString(),
  isProven: true,
  ...change,
});
const details = { externalId: 'dc', sshPort: 22, ipAddress: '198.51.100.7', verifiedAt: at(9).toISOString() };
const finished = (n: number, epoch: number): RestoredMachine =>
  aMachine(n, epoch, { details: { ...details, externalId: `dc-${n}` } });
const stored = (n: number, epoch: number, activeAt: string | undefined = at(20).toISOString()) => ({
  epoch,
  agentUID: uidOf(n),
  externalId: `dc-${n}`,
  activeAt,
});
const instance = (n: number, epoch: number) => ({ agentUID: uidOf(n), epoch, externalId: `dc-${n}` });
const running = (n: number, epoch: number) => ({
  epoch,
  instance: instance(n, epoch),
  holders: [aHolder(n, epoch)],
});

const someFacts = (change: Partial<RestoredFacts> = {}): RestoredFacts => ({
  listed: [],
  closed: [],
  hasListed: () => true,
  agentOf: (uid) => ({ name: `agent-${Number(uid.slice(-12))}`, poolName: 'europe-script' }),
  generation: 1,
  now: at(100),
  ...change,
});

const gist = ({ phase, epoch, instance: machine, holders }: ContractStatus) => ({
  phase,
  epoch,
  machine: machine && `${machine.externalId}@${machine.epoch}`,
  holders: (holders ?? []).map((it) => `${it.agent}@${it.epoch}`),
});

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

describe('whom etcd has as a holder', () => {
  const many = (count: number) => Array.from({ length: count }, (_, n) => aHolder(n + 10, 1));
  const resolve = (count: number) =>
    resolveRestored(
      aContract('Accepted', { epoch: 2, holders: many(count) }),
      someFacts({ listed: [...Array.from({ length: 40 }, (_, n) => aMachine(n + 50, 1)), finished(1, 3)] }),
    );

  test('stays, however many are listed; the agent of its machine gets the last place', () => {
    const holders = resolve(30).at(-1)?.holders ?? [];
    expect(holders).toEqual(expect.arrayContaining([...many(30), aHolder(1, 3)]));
    expect(holders).toHaveLength(32);
  });

  test('stays also where there is no place at all: then the contract is left as it is', () => {
    expect(resolve(32)).toEqual([]);
  });
});

describe('how the tenant reaches it', () => {
  const resolved = (facts: Partial<RestoredFacts>, contract = aContract('Accepted')) =>
    resolveRestored(contract, someFacts(facts)).at(-1);

  test('as the agent reported it once', () => {
    expect(resolved({ listed: [finished(1, 1)] })).toMatchObject({
      endpoint: '198.51.100.7:22',
      access: { host: '198.51.100.7', verifiedAt: at(9).toISOString() },
    });
  });

  test('as PostgreSQL has it, when the agent does not remember', () => {
    const access = { host: '2001:db8::7', port: 2222 };
    expect(resolved({ inStore: { ...stored(1, 1), access }, listed: [aMachine(1, 1)] })).toMatchObject({
      endpoint: '[2001:db8::7]:2222',
      access: { ...access, verifiedAt: at(20).toISOString() },
      startsAt: at(20).toISOString(),
    });
  });

  test('what was seen reachable once is not lost because nobody knows its address', () => {
    expect(resolved({ inStore: stored(1, 1), listed: [aMachine(1, 1)] })).toMatchObject({
      access: { verifiedAt: at(20).toISOString() },
    });
  });
});
