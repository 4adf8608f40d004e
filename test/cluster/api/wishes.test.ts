/** What a tenant wishes of its running machine: ordered by the work route within a second, done once, confirmed in status. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openCredentials, sealCredentials } from '../../../crds/contract/credentials.ts';
import { sshKeysSHA256 } from '../../../crds/contract/ssh-keys.ts';
import { activate } from '../../../crds/contract/steps.ts';
import { generateKeyPair } from '../../../lib/signature/keys.ts';
import {
  joinAgent,
  type Market,
  makeOffering,
  makePool,
  moveContract,
  mustLive,
  openMarket,
  providerPath,
  type Rented,
  readContract,
  rentAccepted,
  SSH_KEY,
  type TestAgent,
} from './harness.ts';

let market: Market;
let pool: string;
let agent: TestAgent;
let machine: Rented;
beforeAll(async () => {
  market = await openMarket();
  pool = await makePool(market);
  agent = await joinAgent(market, pool);
  machine = await running();
});
afterAll(() => market?.close());

const speaker = () => ({ session: agent.session, incarnation: agent.incarnation });
const asAgent = (method: string, path: string, body?: object) =>
  market.call(method, `${providerPath(market)}${path}`, { key: agent.keys, body });
const asTenant = (method: string, what: string, body?: object) =>
  market.call(method, `/api/v1/contracts/${machine.id}${what}`, { key: machine.tenant, body });
const applied = (body: object) =>
  asAgent('PUT', `/contracts/${machine.id}/applied`, { epoch: 1, ...speaker(), ...body });
const statusOf = async () => mustLive(await readContract(market, machine.id)).status;
const details = { externalId: 'vm-1', ipAddress: '127.0.0.1', sshPort: 2200 };

async function running(): Promise<Rented> {
  const instanceConfigSchema = { properties: { image: { enum: ['debian'] } } };
  const offering = await makeOffering(market, { poolName: pool, instanceConfigSchema });
  const rented = await rentAccepted(market, offering);
  await asAgent('POST', `/contracts/${rented.id}/lock`, { ...speaker(), observedEpoch: 0 });
  await asAgent('POST', `/contracts/${rented.id}/provisioned`, {
    epoch: 1,
    ...speaker(),
    instanceDetails: details,
    sshKeysSHA256: sshKeysSHA256([SSH_KEY]),
  });
  const said = { reason: 'Reachable', message: 'seen', now: new Date(), durationHours: 24 };
  await moveContract(market, rented.id, (status) => activate(status, said));
  return rented;
}

/** The order that comes, and how long after the wish. */
async function ordered(wish: () => Promise<unknown>): Promise<{ item: Record<string, unknown>; ms: number }> {
  const poll = asAgent('GET', '/work?wait=20');
  await new Promise((resolve) => setTimeout(resolve, 100)); // the poll waits by now
  const wishedAt = Date.now();
  await wish();
  const { data } = await poll;
  expect(data).toHaveLength(1);
  return { item: data[0], ms: Date.now() - wishedAt };
}

test('a restart is ordered within a second, and never again once it was done', async () => {
  const { item, ms } = await ordered(() => asTenant('POST', '/power', { action: 'Restart' }));
  expect(item).toMatchObject({ action: 'Restart', contractId: machine.id, epoch: 1, count: 1 });
  expect(ms).toBeLessThan(1000);
  expect(await applied({ restart: 1 })).toMatchObject({ status: 200, data: { then: 'Continue' } });
  expect((await statusOf()).applied).toMatchObject({ restart: 1 });
  expect((await statusOf()).history?.at(-1)).toMatchObject({ reason: 'Restarted', by: agent.name });
  expect((await asAgent('GET', '/work?wait=1')).data).toEqual([]);
  const { resourceVersion } = (await readContract(market, machine.id)).metadata;
  expect((await applied({ restart: 1 })).status).toBe(200);
  expect((await readContract(market, machine.id)).metadata.resourceVersion).toBe(resourceVersion);
});

test('the same by YAML: what is written into spec is what the agent hears', async () => {
  const other = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJ1dCB0aGlzIGlzIG9ubHkgYSB0ZXN0IGtleSBvZiBvdXJz other';
  const { item, ms } = await ordered(async () => {
    const contract = await readContract(market, machine.id);
    await market.clients.contracts.update({
      ...contract,
      spec: { ...contract.spec, sshPublicKeys: [other] },
    });
  });
  expect(item).toMatchObject({ action: 'SetSshKeys', sshPublicKeys: [other] });
  expect(ms).toBeLessThan(1000);
  await applied({ sshKeysSHA256: item['sshKeysSHA256'] });
  expect((await statusOf()).applied).toMatchObject({ sshKeysSHA256: sshKeysSHA256([other]) });
});

test('a re-installation brings what to build, and the new host key to the tenant', async () => {
  const { item } = await ordered(() => asTenant('POST', '/reinstall'));
  expect(item).toMatchObject({
    action: 'Reinstall',
    count: 1,
    contract: { contractId: machine.id, cpuCores: 2 },
  });
  expect(item['contract']).not.toHaveProperty('instanceConfig');
  const hostKeyFingerprint = `SHA256:${'C'.repeat(43)}`;
  await applied({ reinstall: 1, instanceDetails: { ...details, hostKeyFingerprint } });
  expect((await asTenant('GET', '')).data).toMatchObject({ phase: 'Active', access: { hostKeyFingerprint } });
});

test('nothing is re-installed with settings that the terms do not allow, until they are mended', async () => {
  const refused = await asTenant('POST', '/reinstall', { instanceConfig: { image: 'windows' } });
  expect([refused.status, refused.body.code]).toEqual([422, 'InstanceConfigInvalid']);
  const byYaml = async (spec: object) => {
    const contract = await readContract(market, machine.id);
    await market.clients.contracts.update({ ...contract, spec: { ...contract.spec, ...spec } });
  };
  await byYaml({ instanceConfig: { image: 'windows' }, reinstall: 2 });
  expect((await ordered(() => byYaml({ restart: 2 }))).item).toMatchObject({ action: 'Restart' });
  await applied({ restart: 2 });
  expect((await asAgent('GET', '/work?wait=1')).data).toEqual([]);
  const { item } = await ordered(() => byYaml({ instanceConfig: { image: 'debian' } }));
  expect(item).toMatchObject({
    action: 'Reinstall',
    count: 2,
    contract: { instanceConfig: '{"image":"debian"}' },
  });
  await applied({ reinstall: 2, instanceDetails: details });
});

test('switched off and on; what failed is for the provider to read, and is ordered again', async () => {
  expect((await ordered(() => asTenant('POST', '/power', { action: 'Stop' }))).item).toMatchObject({
    action: 'Stop',
  });
  await applied({ failed: { wish: 'Power', mark: 'Stopped', isFinal: false, message: 'qm: timeout' } });
  expect((await statusOf()).applied?.failed).toMatchObject([{ wish: 'Power', message: 'qm: timeout' }]);
  await applied({ powerState: 'Stopped' });
  expect((await statusOf()).applied).toMatchObject({ powerState: 'Stopped' });
  expect(JSON.stringify((await asTenant('GET', '')).data)).not.toContain('qm: timeout');
});

test('a new password comes back sealed: the tenant opens it, its provider and the cluster cannot', async () => {
  const asked = await asTenant('POST', '/power', { action: 'Start' });
  expect(asked.data.wishes).toContainEqual({ wish: 'Power', state: 'Open' });
  await applied({ powerState: 'Running' });
  const { item, ms } = await ordered(() => asTenant('POST', '/reset-password'));
  const { publicKey, seed } = machine.tenant;
  expect(item).toMatchObject({ action: 'ResetPassword', count: 1, tenantPublicKey: publicKey });
  expect(ms).toBeLessThan(1000);
  expect((await asTenant('GET', '/credentials')).data).toEqual({
    asked: 1,
    done: 0,
    problem: null,
    credentials: null,
  });
  const about = { contractId: machine.id, count: 1 };
  const secret = { user: 'root', password: 'correct horse' };
  const sealedCredentials = sealCredentials(publicKey, secret, about);
  expect((await applied({ passwordReset: 1 })).status).toBe(422);
  await applied({ passwordReset: 1, sealedCredentials });
  const { data, headers } = await asTenant('GET', '/credentials');
  expect(data).toMatchObject({ asked: 1, done: 1, credentials: { passwordReset: 1 } });
  expect(openCredentials(seed, data.credentials.sealed, about)).toEqual(secret);
  expect(headers.get('cache-control')).toBe('no-store');
  const path = `/api/v1/contracts/${machine.id}/credentials`;
  for (const key of [market.provider, agent.keys, generateKeyPair()])
    expect((await market.call('GET', path, { key })).status).toBe(404);
  expect(JSON.stringify(await readContract(market, machine.id))).not.toContain(secret.password);
});

test('one that cannot be set is said to be so, and blocks nothing', async () => {
  await asTenant('POST', '/reset-password');
  await applied({ failed: { wish: 'Password', mark: '2', isFinal: true, message: 'no such program' } });
  expect((await asTenant('GET', '/credentials')).data).toMatchObject({
    asked: 2,
    done: 1,
    problem: 'CannotBeSet',
    credentials: { passwordReset: 1 },
  });
  expect((await asTenant('GET', '')).data.wishes).toEqual([{ wish: 'Password', state: 'CannotBeDone' }]);
  expect((await asAgent('GET', '/work?wait=1')).data).toEqual([]);
});

test("another agent's word about it counts for nothing", async () => {
  const stranger = await joinAgent(market, pool);
  const refused = await market.call('PUT', `${providerPath(market)}/contracts/${machine.id}/applied`, {
    key: stranger.keys,
    body: { epoch: 1, session: stranger.session, incarnation: 1, restart: 9 },
  });
  expect([refused.status, refused.body.code]).toEqual([409, 'IllegalMove']);
});
