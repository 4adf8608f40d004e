/** Each oracle can fail: a history that it must accept, and one small change after which it must not. */
import { expect, test } from 'vitest';
import { aContract, aHolder, aLock, anAgent, at, uidOf } from '../../../crds/contract/builders.ts';
import { contractIdOf } from '../../../crds/contract/contract.ts';
import type { ContractPhase } from '../../../crds/contract/phase.ts';
import type { ContractStatus } from '../../../crds/contract/status.ts';
import type { LedgerEvent, LedgerRecord, Machine } from '../ledger/ledger.ts';
import type { Evidence } from './evidence.ts';
import { gistOf, sameGist } from './gist.ts';
import type { Version } from './history.ts';
import { judge } from './judge.ts';
import { changesBetween } from './quiet.ts';

const CONTRACT_ID = contractIdOf(aContract().metadata.uid ?? '');
const VM = `dc-${CONTRACT_ID}`;

/** Heard a moment after it was decided. */
const version = (
  seconds: number,
  phase: ContractPhase,
  change: Partial<Omit<ContractStatus, 'phase'>> = {},
): Version => {
  const history = [
    { seq: seconds, at: at(seconds).toISOString(), to: phase, by: 'operator', reason: 'Test' },
  ];
  return {
    heardAt: at(seconds + 0.2),
    contract: aContract(phase, { history, ...change }),
    isDeleted: false,
    isAfterGap: false,
  };
};
const record = (seconds: number, event: LedgerEvent, epoch = 1, agent = 1): LedgerRecord => ({
  at: at(seconds).toISOString(),
  host: `agent-${agent}`,
  agentUid: uidOf(agent),
  contractId: CONTRACT_ID,
  epoch,
  externalId: VM,
  event,
});
const machine = (epoch = 1, agent = 1): Machine => ({
  host: `agent-${agent}`,
  externalId: VM,
  contractId: CONTRACT_ID,
  epoch,
  installation: 'test',
  agentUid: uidOf(agent),
  state: 'Running',
  createdAt: at(3).toISOString(),
});
const STRANGER: Machine = {
  ...machine(),
  externalId: 'theirs',
  contractId: '',
  installation: undefined,
  agentUid: '',
};
const instance = (epoch = 1, agent = 1) => ({ agentUID: uidOf(agent), epoch, externalId: VM });

const HELD = { epoch: 1, holders: [aHolder(1, 1)] };
const ACCEPTED = version(1, 'Accepted');
const PROVISIONING = version(2, 'Provisioning', { ...HELD, lock: aLock(1) });
const PROVISIONED = version(5, 'Provisioned', { ...HELD, instance: instance() });
const ACTIVE = version(6, 'Active', { ...HELD, instance: instance(), startsAt: at(6).toISOString() });
const TERMINATING = version(10, 'Terminating', { ...HELD, instance: instance() });
const CANCELLED = version(15, 'Cancelled', { epoch: 1, holders: [] });

const BUILT = [record(3, 'create-begun'), record(4, 'created')];
const MAIN: Evidence = {
  contractId: CONTRACT_ID,
  versions: [ACCEPTED, PROVISIONING, PROVISIONED, ACTIVE],
  records: BUILT,
  machines: [machine(), STRANGER],
  agents: [anAgent(1)],
  strangers: ['agent-1/theirs'],
};
const ENDED: Evidence = {
  ...MAIN,
  versions: [...MAIN.versions, TERMINATING, CANCELLED],
  records: [...BUILT, record(12, 'destroyed')],
  machines: [STRANGER],
};

test('a life without faults, and its end, are accepted', () => {
  expect(judge(MAIN)).toEqual([]);
  expect(judge(ENDED)).toEqual([]);
});

test("who decides may go by a clock that is a little apart from the ledger's", () => {
  const heardAt = at(10.1);
  const ahead = { ...TERMINATING, heardAt }; // it says at(10)
  const early = { ...CANCELLED, heardAt: at(15.4) }; // it says at(15)
  const versions = [...MAIN.versions, ahead, early];
  for (const seconds of [9.4, 15.3])
    expect(judge({ ...ENDED, versions, records: [...BUILT, record(seconds, 'destroyed')] })).toEqual([]);
});

const secondGrant = version(20, 'Provisioning', {
  epoch: 2,
  holders: [aHolder(1, 1), aHolder(2, 2)],
  lock: aLock(2, { epoch: 2 }),
});

test.each<[string, Evidence, RegExp]>([
  ['a machine that nobody built is told', { ...MAIN, records: [] }, /told in Active, but was never built/],
  [
    'a machine of an older epoch is told',
    {
      ...MAIN,
      versions: [ACCEPTED, PROVISIONING, version(6, 'Active', { ...HELD, epoch: 2, instance: instance() })],
    },
    /epoch 1\) is told in Active, but epoch is 2/,
  ],
  [
    'who built it is no holder',
    {
      ...MAIN,
      versions: [
        ACCEPTED,
        PROVISIONING,
        version(6, 'Active', { epoch: 1, holders: [], instance: instance() }),
      ],
    },
    /its agent is no holder/,
  ],
  [
    'the machine is destroyed under its tenant',
    { ...MAIN, records: [...BUILT, record(8, 'destroyed')] },
    /was destroyed at .* while the tenant was told/,
  ],
  [
    'a second machine is left over',
    { ...MAIN, machines: [...MAIN.machines, machine(2, 2)], records: MAIN.records },
    /epoch 2, Running\) still stands on agent-2/,
  ],
  ['the epoch falls', { ...MAIN, versions: [secondGrant, ...MAIN.versions] }, /the epoch fell from 2 to 0/],
  [
    'two agents hold one epoch',
    {
      ...MAIN,
      versions: [
        ...MAIN.versions,
        version(9, 'Active', { ...HELD, holders: [aHolder(1, 1), aHolder(2, 1)], instance: instance() }),
      ],
    },
    /epoch 1 was granted to two agents/,
  ],
  [
    'two processes of one agent hold one epoch',
    {
      ...MAIN,
      versions: [
        ACCEPTED,
        PROVISIONING,
        version(3, 'Provisioning', { ...HELD, lock: aLock(1, { session: 'another' }) }),
        ...MAIN.versions.slice(2),
      ],
    },
    /epoch 1 was granted to two sessions/,
  ],
  [
    'a stale report is taken',
    { ...MAIN, versions: [ACCEPTED, PROVISIONING, secondGrant, PROVISIONED] },
    /a report of epoch 1 was taken while the contract was at 2/,
  ],
  [
    'somebody builds who was never granted anything',
    { ...MAIN, records: [...BUILT, record(4, 'create-begun', 1, 2)] },
    /built at .* for epoch 1, which it never had/,
  ],
  [
    'it ends while its machine stands',
    { ...ENDED, records: [...BUILT, record(16, 'destroyed')] },
    /it ended as Cancelled while .* stood on agent-1/,
  ],
  [
    'it fails without a reason',
    {
      ...ENDED,
      versions: [...ENDED.versions.slice(0, -1), version(15, 'Failed', { epoch: 1, holders: [] })],
    },
    /without a reason/,
  ],
  [
    'it waits beyond its deadline',
    { ...MAIN, versions: [ACCEPTED, version(3700, 'Accepted')], records: [], machines: [STRANGER] },
    /still Accepted \d+ ms after its deadline/,
  ],
  ['a stranger is gone', { ...MAIN, machines: [machine()] }, /theirs, which is not ours, is gone/],
  [
    'a stranger is stopped',
    { ...MAIN, machines: [machine(), { ...STRANGER, state: 'Stopped' }] },
    /which is not ours, is Stopped/,
  ],
  [
    'somebody calls a stranger by its name',
    { ...MAIN, records: [...BUILT, { ...record(5, 'started'), externalId: 'theirs' }] },
    /which is not ours, was started/,
  ],
])('%s: noticed', (_what, evidence, expected) => {
  expect(judge(evidence)).toEqual(expect.arrayContaining([expect.stringMatching(expected)]));
});

test('a machine that its agent owes may stand when the contract ends', () => {
  const debt = { contractUID: aContract().metadata.uid ?? '', epoch: 1, since: at(14).toISOString() };
  const owing = { ...anAgent(1), status: { owedDestroys: [debt] } };
  expect(judge({ ...ENDED, records: BUILT, agents: [owing as Evidence['agents'][number]] })).toEqual([]);
});

test('another end than without faults is told field by field', () => {
  expect(sameGist(gistOf(MAIN), gistOf(MAIN))).toEqual([]);
  expect(sameGist(gistOf(MAIN), gistOf({ ...MAIN, machines: [machine(), machine(1, 2)] }))).toEqual([
    'machines is ["Running","Running"], without faults it is ["Running"]',
  ]);
});

test('a write or a deed after the world has converged is noticed', () => {
  expect(changesBetween(MAIN, MAIN)).toEqual([]);
  expect(changesBetween(MAIN, ENDED)).toEqual([
    expect.stringMatching(/^written after it had converged: .*"Terminating"/),
    expect.stringMatching(/^written after it had converged: .*"Cancelled"/),
    expect.stringMatching(/^done after it had converged: .*"destroyed"/),
  ]);
});
