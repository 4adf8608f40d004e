import { describe, expect, test } from 'vitest';
import { aContract, aHolder, aLock, at, CONTRACT_UID, someTerms, uidOf } from './builders.ts';
import { contractIdOf, type LiveContract } from './contract.ts';
import { type InventoryFacts, judgeInventory, olderWorldSigns, recordsNeeded } from './inventory.ts';

const ID = contractIdOf(CONTRACT_UID);
const machine = (change: object = {}) => ({
  externalId: 'dc-1',
  contractId: ID,
  epoch: 1,
  agentUid: uidOf(1),
  installation: 'here',
  state: 'Running' as const,
  createdAt: at(0).toISOString(),
  ...change,
});
const judge = (contract: LiveContract | undefined, change: Partial<InventoryFacts> = {}) => {
  const answer = judgeInventory({
    agentUID: uidOf(1),
    installation: 'here',
    listed: [machine()],
    owed: [],
    isRevoked: () => false,
    contractOf: (uid) => (uid === CONTRACT_UID ? contract : undefined),
    heldBy: contract?.status.holders?.some(({ agentUID }) => agentUID === uidOf(1)) ? [contract] : [],
    ...change,
  });
  return Object.fromEntries(
    Object.entries(answer).filter(([, list]) => !Array.isArray(list) || list.length > 0),
  );
};
const instance = { agentUID: uidOf(1), epoch: 1, externalId: 'dc-1' };
const held = { epoch: 1, holders: [aHolder(1, 1)] };
const active = aContract('Active', { ...held, instance, endsAt: at(60).toISOString() });
const superseded = aContract('Provisioning', {
  epoch: 2,
  lock: aLock(2, { epoch: 2 }),
  holders: [aHolder(1, 1), aHolder(2, 2)],
});

const elsewhere = aContract('Active', {
  epoch: 2,
  holders: [aHolder(2, 2)],
  instance: { ...instance, agentUID: uidOf(2), epoch: 2 },
});

const cases: {
  name: string;
  contract: LiveContract | undefined;
  facts?: Partial<InventoryFacts>;
  want: object;
}[] = [
  {
    name: 'the machine of the contract stays',
    contract: active,
    want: { keep: [{ externalId: 'dc-1', contractId: ID, epoch: 1, endsAt: at(60).getTime() * 1e6 }] },
  },
  {
    name: 'that of a paused contract is stopped',
    contract: aContract('Paused', { ...held, instance }, { spec: { termsSnapshot: someTerms() } }),
    want: { pause: [{ externalId: 'dc-1', contractId: ID, reason: 'Paused' }] },
  },
  {
    name: 'one of a superseded epoch goes',
    contract: superseded,
    want: { terminate: [{ externalId: 'dc-1', contractId: ID, epoch: 1, reason: 'Superseded' }] },
  },
  {
    name: 'one of a contract that ends goes',
    contract: aContract('Terminating', { ...held, instance, reason: 'CancelledByTenant' }),
    want: { terminate: [{ externalId: 'dc-1', contractId: ID, epoch: 1, reason: 'CancelledByTenant' }] },
  },
  {
    name: 'one that is being built is left alone',
    contract: aContract('Provisioning', { ...held, lock: aLock(1) }),
    want: {},
  },
  { name: 'one whose lock merely ran out is left alone', contract: aContract('Accepted', held), want: {} },
  {
    name: 'an unknown contract: quarantine',
    contract: undefined,
    want: { unknown: [{ externalId: 'dc-1', message: expect.stringContaining('no contract') }] },
  },
  {
    name: 'neither holder nor debtor: quarantine, never destroyed',
    contract: elsewhere,
    want: {
      unknown: [
        { externalId: 'dc-1', message: expect.stringContaining('holds no epoch 1'), isContractKnown: true },
      ],
    },
  },
  {
    name: 'neither holder nor debtor, and PostgreSQL does not name it: an orphan',
    contract: elsewhere,
    facts: { recordsOf: () => [] },
    want: { unknown: [{ externalId: 'dc-1', message: expect.stringContaining('holds no epoch 1') }] },
  },
  {
    name: 'neither holder nor debtor, and PostgreSQL is down: left as it is',
    contract: elsewhere,
    facts: { recordsOf: () => 'Unavailable' },
    want: { undecided: ['dc-1'] },
  },
  {
    name: 'an unknown contract that PostgreSQL knows this machine of: left as it is',
    contract: undefined,
    facts: { recordsOf: () => [{ ...instance, event: 'Active' }] },
    want: { undecided: ['dc-1'] },
  },
  {
    name: 'a contract that nobody has looked for: left as it is',
    contract: undefined,
    facts: { notLookedFor: new Set([CONTRACT_UID]), recordsOf: () => [] },
    want: { undecided: ['dc-1'] },
  },
  {
    name: 'without our tag it is only shown, whatever PostgreSQL says',
    contract: undefined,
    facts: { listed: [{ externalId: 'dc-1', contractId: ID }], recordsOf: () => 'Unavailable' },
    want: { unknown: [{ externalId: 'dc-1', message: expect.stringContaining('no contract') }] },
  },
  {
    name: "a revoked agent's machine of an unknown contract passes to who lists it",
    contract: undefined,
    facts: { listed: [machine({ agentUid: uidOf(2) })], isRevoked: () => true },
    want: { adopt: [{ externalId: 'dc-1', contractId: ID, epoch: 1 }] },
  },
  {
    name: 'a second machine of the present epoch: quarantine, never destroyed',
    contract: active,
    facts: { listed: [machine(), machine({ externalId: 'dc-2' })] },
    want: {
      keep: [expect.anything()],
      unknown: [
        {
          externalId: 'dc-2',
          message: expect.stringContaining('runs on machine dc-1'),
          isContractKnown: true,
        },
      ],
    },
  },
  {
    name: "another agent's machine is not touched",
    contract: active,
    facts: { listed: [machine({ agentUid: uidOf(2) })] },
    want: {},
  },
  {
    name: "a revoked agent's machine passes to who lists it",
    contract: active,
    facts: { listed: [machine({ agentUid: uidOf(2) })], isRevoked: () => true },
    want: { adopt: [{ externalId: 'dc-1', contractId: ID, epoch: 1 }] },
  },
  {
    name: "another installation's machine is none of our business",
    contract: undefined,
    facts: { listed: [machine({ installation: 'elsewhere' })] },
    want: {},
  },
  {
    name: 'a debt is destroyed, whatever the contract says',
    contract: undefined,
    facts: { owed: [{ contractUID: CONTRACT_UID, epoch: 1, since: at(0).toISOString() }] },
    want: { terminate: [{ externalId: 'dc-1', contractId: ID, epoch: 1, reason: 'Owed' }] },
  },
  {
    name: 'what is not listed is asked to be confirmed: superseded',
    contract: superseded,
    facts: { listed: [] },
    want: { confirm: [{ contractId: ID, epoch: 1 }] },
  },
  {
    name: 'what is not listed is asked to be confirmed: ending',
    contract: aContract('Terminating', held),
    facts: { listed: [] },
    want: { confirm: [{ contractId: ID, epoch: 1 }] },
  },
  {
    name: 'what is not listed is asked to be confirmed: a debt',
    contract: undefined,
    facts: { listed: [], owed: [{ contractUID: CONTRACT_UID, epoch: 7, since: at(0).toISOString() }] },
    want: { confirm: [{ contractId: ID, epoch: 7 }] },
  },
  {
    name: 'the machine of a live contract that is not listed: nobody is removed',
    contract: active,
    facts: { listed: [] },
    want: {},
  },
  {
    name: 'without tags, as the reference agent lists: judged by name and holder',
    contract: active,
    facts: { listed: [{ externalId: 'dc-1', contractId: ID }] },
    want: { keep: [expect.objectContaining({ epoch: 1 })] },
  },
];
describe('an inventory', () => {
  test('asks PostgreSQL only about what no entry accounts for, and tells what speaks against the cluster', () => {
    const facts: InventoryFacts = {
      agentUID: uidOf(1),
      installation: 'here',
      listed: [machine(), machine({ externalId: 'dc-2', contractId: contractIdOf(uidOf(9)) })],
      owed: [],
      isRevoked: () => false,
      contractOf: (uid) => (uid === CONTRACT_UID ? active : undefined),
      heldBy: [active],
    };
    expect(recordsNeeded(facts)).toEqual([uidOf(9)]);
    const record = { epoch: 1, agentUID: uidOf(1), externalId: 'dc-2', event: 'Active' } as const;
    const known = { ...facts, recordsOf: () => [record], isProven: () => true };
    expect(olderWorldSigns(known)).toEqual([
      { contractUID: uidOf(9), epoch: 1, agentUID: uidOf(1), externalId: 'dc-2', statusEpoch: undefined },
    ]);
    expect(olderWorldSigns({ ...known, isProven: () => false })).toEqual([]);
    expect(olderWorldSigns({ ...known, isProven: undefined })).toEqual([]);
    // Who lists what is tagged with another's UID says nothing, whatever it proves.
    const others = [machine({ contractId: contractIdOf(uidOf(9)), agentUid: uidOf(2), externalId: 'dc-2' })];
    const recordsOf = () => [{ ...record, agentUID: uidOf(2) }];
    expect(olderWorldSigns({ ...known, listed: others, recordsOf })).toEqual([]);
  });

  for (const { name, contract, facts, want } of cases)
    test(name, () => expect(judge(contract, facts)).toEqual(want));
});
