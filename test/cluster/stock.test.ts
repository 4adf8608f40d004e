/** Units of finite stock on a real API server: what was decided from an old cache gives nobody's unit away. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Contract } from '../../crds/contract/contract.ts';
import type { Offering } from '../../crds/offering.ts';
import { createKubeClient, type KubeClient } from '../../kube/client.ts';
import { releaseUnit, reserveUnit } from '../../operator/contract/stock.ts';
import { giveBackLost, unitsWithoutContract } from '../../operator/offering/lost-units.ts';
import { inNamespace } from '../world/cluster.ts';
import { resourceOf } from '../world/market.ts';
import { EXAMPLES } from './examples.ts';
import { newContract, walkTo, wayTo } from './phases.ts';

let client: KubeClient;
let namespace: string;
beforeAll(async () => {
  client = createKubeClient({ kubeconfig: { file: inject('kubeconfig') } });
  namespace = await inNamespace('stock');
});
afterAll(() => client.close());

const { signal } = new AbortController();
const clients = () => ({
  offerings: resourceOf<Offering>(client, 'Offering'),
  contracts: resourceOf<Contract>(client, 'Contract'),
});

test('a contract that was retried meanwhile keeps its new unit; one that has ended gives it back', async () => {
  const { offerings, contracts } = clients();
  await offerings.create({
    ...EXAMPLES['Offering'],
    metadata: { name: 'hello', namespace },
    spec: { ...EXAMPLES['Offering']?.spec, stock: 1 },
  } as unknown as Offering); // the example, as a person writes it
  const made = await newContract(contracts, { name: 'retried', namespace });
  const failed = await walkTo(contracts, made, wayTo('Failed'));
  await reserveUnit(offerings, { contract: failed, signal });
  const reserved = async () => (await offerings.get({ namespace, name: 'hello' }))?.status?.reserved ?? [];

  const retried = await walkTo(contracts, failed, ['Accepted']);
  await releaseUnit(clients(), { contract: failed, signal });
  expect(await reserved()).toEqual([made.metadata.uid]);

  await walkTo(contracts, retried, ['Failed']);
  await releaseUnit(clients(), { contract: failed, signal });
  expect(await reserved()).toEqual([]);
  await releaseUnit(clients(), { contract: failed, signal });
  expect(await reserved()).toEqual([]);
});

test('a unit whose contract went by force is free again; one of a contract that is there stays taken', async () => {
  const { offerings, contracts } = clients();
  const place = { namespace, name: 'few' };
  await offerings.create({
    ...EXAMPLES['Offering'],
    metadata: place,
    spec: { ...EXAMPLES['Offering']?.spec, stock: 2 },
  } as unknown as Offering); // the example, as a person writes it
  const there = await newContract(contracts, { name: 'there', namespace }, { offering: { name: 'few' } });
  const gone = await newContract(contracts, { name: 'gone', namespace }, { offering: { name: 'few' } });
  for (const contract of [there, gone]) await reserveUnit(offerings, { contract, signal });
  const read = async () => {
    const offering = await offerings.get(place);
    if (!offering) throw new Error('it was just made');
    return offering;
  };
  expect(await giveBackLost(clients(), { offering: await read(), signal })).toBe(false);
  await contracts.delete(gone.metadata);
  expect(unitsWithoutContract(await read(), [there])).toEqual([gone.metadata.uid]);
  expect(await giveBackLost(clients(), { offering: await read(), signal })).toBe(true);
  expect((await read()).status?.reserved).toEqual([there.metadata.uid]);
});
