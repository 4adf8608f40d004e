import { expect, test } from 'vitest';
import { aContract, CONTRACT_UID, uidOf } from '../../crds/contract/builders.ts';
import { fakeClock } from '../../lib/fake-clock.ts';
import type { Clients } from '../clients.ts';
import { createLiveContracts } from './live-contracts.ts';

test('a contract that one namespace lacks is looked for in another', async () => {
  const contract = aContract('Active');
  const there = contract.metadata.namespace;
  const list = async ({ namespace }: { namespace?: string | undefined }) => ({
    items: namespace === there ? [contract] : [],
    resourceVersion: '1',
  });
  const clients = { contracts: { list } } as unknown as Pick<Clients, 'contracts'>; // all that it asks for
  const found = createLiveContracts({ clients, clock: fakeClock() });
  const find = async (namespace: string | undefined, agent: number) =>
    (
      await found.find({
        namespace: namespace ?? '',
        agentUID: uidOf(agent),
        uids: [CONTRACT_UID],
        because: 'Inventory',
      })
    ).get(CONTRACT_UID);
  expect(await find('elsewhere', 1)).toBe('Absent');
  expect(await find(there, 2)).toBe(contract);
});
