/** What outlives an agent: machines of a revoked one, the name of a deleted one, the token it joined with. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generateKeyPair } from '../../../lib/signature/keys.ts';
import {
  eventually,
  heartbeat,
  joinAgent,
  type Market,
  makeOffering,
  makePool,
  makeToken,
  openMarket,
  providerPath,
  readContract,
  rentAccepted,
} from './harness.ts';

let market: Market;
let pool: string;

beforeAll(async () => {
  market = await openMarket();
  pool = await makePool(market);
});
afterAll(() => market?.close());

const path = (rest: string): string => `${providerPath(market)}/${rest}`;

test("a revoked agent's running machine is kept by the agent that adopts it, and by no third one", async () => {
  const [gone, heir, third] = [
    await joinAgent(market, pool),
    await joinAgent(market, pool),
    await joinAgent(market, pool),
  ];
  const { id } = await rentAccepted(market, await makeOffering(market, { poolName: pool }));
  const { session, incarnation, keys } = gone;
  await market.call('POST', path(`contracts/${id}/lock`), {
    key: keys,
    body: { session, incarnation, observedEpoch: 0 },
  });
  const built = await market.call('POST', path(`contracts/${id}/provisioned`), {
    key: keys,
    body: { epoch: 1, session, instanceDetails: { externalId: 'vm-1', sshPort: 22 } },
  });
  expect(built.data).toMatchObject({ phase: 'Provisioned' });
  await market.call('DELETE', path(`agents/${keys.publicKey}`), { key: market.provider });
  await eventually(async () => (await heartbeat(market, gone)).body.code === 'AgentRevoked');
  const list = (agent: typeof heir, agentUid: string) =>
    market.call('POST', path('reconcile'), {
      key: agent.keys,
      body: {
        session: agent.session,
        incarnation: agent.incarnation,
        runningInstances: [{ externalId: 'vm-1', contractId: id, epoch: 1, agentUid }],
      },
    });
  const adopted = (await list(heir, gone.uid)).data;
  expect(adopted.adopt).toEqual([{ externalId: 'vm-1', contractId: id, epoch: 1 }]);
  expect((await readContract(market, id)).status).toMatchObject({
    holders: [{ agentUID: heir.uid, epoch: 1 }],
    instance: { agentUID: heir.uid, externalId: 'vm-1' },
  });
  expect((await list(third, gone.uid)).data).toMatchObject({ adopt: [], unknown: [] });
  expect((await list(heir, heir.uid)).data).toMatchObject({ keep: [{ externalId: 'vm-1' }], unknown: [] });
});

test('debts of a revoked agent pass to who adopts its machine, also when the contract is gone', async () => {
  const [gone, heir] = [await joinAgent(market, pool), await joinAgent(market, pool)];
  const contractUID = 'abababab-0000-4000-8000-000000000001';
  const id = contractUID.replaceAll('-', '');
  const since = new Date().toISOString();
  const agentOf = ({ name }: typeof gone) => market.clients.agents.get({ namespace: market.namespace, name });
  const debtor = await agentOf(gone);
  if (!debtor) throw new Error('it did not join');
  const owedDestroys = [{ contractUID, epoch: 4, since }];
  await market.clients.agents.updateStatus({ ...debtor, status: { ...debtor.status, owedDestroys } });
  await market.call('DELETE', path(`agents/${gone.keys.publicKey}`), { key: market.provider });
  await eventually(async () => (await heartbeat(market, gone)).body.code === 'AgentRevoked');
  const { installation } = (await heartbeat(market, heir)).data;
  const list = (agentUid: string) =>
    market.call('POST', path('reconcile'), {
      key: heir.keys,
      body: {
        session: heir.session,
        incarnation: heir.incarnation,
        runningInstances: [{ externalId: 'vm-2', contractId: id, epoch: 4, agentUid, installation }],
      },
    });
  expect((await list(gone.uid)).data).toMatchObject({ adopt: [{ externalId: 'vm-2', epoch: 4 }] });
  expect((await agentOf(heir))?.status?.owedDestroys).toEqual(owedDestroys);
  expect((await agentOf(gone))?.status?.owedDestroys ?? []).toEqual([]);
  // Re-tagged, it is the heir's to destroy and to confirm.
  await eventually(async () => (await list(heir.uid)).data.terminate.length === 1);
  const paid = await market.call('PUT', path(`contracts/${id}/terminated`), {
    key: heir.keys,
    body: { session: heir.session, incarnation: heir.incarnation, epoch: 4 },
  });
  expect(paid.data).toEqual({ confirmed: true });
  expect((await agentOf(heir))?.status?.owedDestroys).toEqual([]);
});

test('an agent that gets the name of a deleted one does not inherit its sessions', async () => {
  const joinAs = async (label: string) => {
    const keys = generateKeyPair();
    const token = await makeToken(market, pool, label);
    const { data } = await market.call('POST', '/api/v1/agents/setup', {
      key: keys,
      body: { token, agentPubkey: keys.publicKey },
    });
    return { keys, token, name: data.agentName as string, uid: data.agentUid as string };
  };
  const first = await joinAs('rack-1');
  const beat = { session: 'session-of-the-first', incarnation: 7 };
  expect((await heartbeat(market, { ...first, ...beat })).status).toBe(200);
  await market.clients.agents.delete({ namespace: market.namespace, name: first.name });
  const second = await joinAs('rack-1');
  expect(second.name).toBe(first.name);
  const answer = await heartbeat(market, { ...second, session: 'session-of-the-second', incarnation: 1 });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  const lease = await market.clients.leases.get({ namespace: market.namespace, name: second.name });
  expect(lease?.metadata).toMatchObject({ ownerReferences: [{ uid: second.uid }] });
});

test('who deletes an agent is rid of it: its used token does not let it in again', async () => {
  const keys = generateKeyPair();
  const token = await makeToken(market, pool);
  const join = () =>
    market.call('POST', '/api/v1/agents/setup', { key: keys, body: { token, agentPubkey: keys.publicKey } });
  const { data } = await join();
  expect((await join()).data.agentUid).toBe(data.agentUid);
  await market.clients.agents.delete({ namespace: market.namespace, name: data.agentName });
  expect(await join()).toMatchObject({ status: 409, body: { code: 'SetupTokenUsed' } });
});
