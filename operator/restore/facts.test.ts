/** Whose words count about a contract: an agent of its provider, about its own machines or a revoked one's. */
import { expect, test } from 'vitest';
import { aContract, CONTRACT_UID, uidOf } from '../../crds/contract/builders.ts';
import { contractIdOf } from '../../crds/contract/contract.ts';
import type { ListedMachine } from '../../store/restore.ts';
import { inventoryOf, type KnownAgents, restoredFacts } from './facts.ts';

const contract = aContract('Accepted', { epoch: 0 });
const { namespace } = contract.metadata;
const anAgent = (n: number, of = namespace, isRevoked = false) =>
  [uidOf(n), { name: `agent-${n}`, poolName: 'p', namespace: of, isRevoked }] as const;
const agents: KnownAgents = new Map([
  anAgent(1),
  anAgent(2),
  anAgent(3, namespace, true),
  anAgent(6, 'another-provider'),
  anAgent(7, 'another-provider', true),
]);

const listedBy = (n: number, change: Partial<ListedMachine> = {}, stored = {}) =>
  restoredFacts(contract, {
    inventory: inventoryOf([
      {
        agentUID: uidOf(n),
        machines: [{ externalId: 'dc-1', contractId: contractIdOf(CONTRACT_UID), epoch: 1, ...change }],
        at: new Date(0),
      },
    ]),
    stored: { closed: [], ...stored },
    agents,
    listed: new Set(),
    generation: 1,
    now: new Date(0),
  }).listed.map(({ agentUID, epoch }) => [agentUID, epoch]);

test.each([
  { name: 'its own', lister: 1, owner: 1, want: true },
  { name: 'untagged', lister: 1, owner: undefined, want: true },
  { name: 'of an agent of its provider that was revoked', lister: 1, owner: 3, want: true },
  { name: 'of one that was not', lister: 1, owner: 2, want: false },
  { name: 'of an agent that nobody knows', lister: 1, owner: 9, want: false },
  { name: "another provider's contract", lister: 6, owner: 6, want: false },
  { name: "another provider's contract, under its agent's name", lister: 6, owner: 3, want: false },
  { name: "of another provider's revoked agent", lister: 1, owner: 7, want: false },
  { name: 'listed by an agent that nobody knows', lister: 9, owner: undefined, want: false },
])('a machine in a listing: $name', ({ lister, owner, want }) => {
  const found = listedBy(lister, owner === undefined ? {} : { agentUid: uidOf(owner) });
  expect(found).toEqual(want ? [[uidOf(owner ?? lister), 1]] : []);
});

test('an epoch is implied only from a machine of the same agent', () => {
  const inStore = { epoch: 4, agentUID: uidOf(1), externalId: 'dc-1' };
  expect(listedBy(1, { epoch: undefined }, { inStore })).toEqual([[uidOf(1), 4]]);
  expect(listedBy(2, { epoch: undefined }, { inStore })).toEqual([[uidOf(2), 0]]);
});
