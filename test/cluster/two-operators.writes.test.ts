/**
 * Every write of a whole life, as the API server sees it: an update stands on the version that was read, so whoever
 * decided on an old state is refused; a create has a name that follows from what is asked, so a repeated one meets
 * its own object. Recorded by a proxy before operator and facade.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { fakeHypervisor } from '../../agent/testing/fake-hypervisor.ts';
import { systemClock } from '../../lib/clock.ts';
import { generateKeyPair } from '../../lib/signature/keys.ts';
import { type ApiServerProxy, type Exchange, openApiServerProxy } from '../faults/proxy/api-server.ts';
import { inNamespace } from '../world/cluster.ts';
import { startDaemon, stateFolder } from '../world/daemons.ts';
import { startOperator } from '../world/operator.ts';
import {
  type Answer,
  eventually,
  type Market,
  makeOffering,
  makePool,
  makeToken,
  openMarket,
  providerPath,
  readContract,
  SSH_KEY,
} from './api/harness.ts';

/** Creates whose names do not repeat, and why that harms nobody. */
const RANDOM_NAMES: Readonly<Record<string, string>> = {
  events: 'an Event that is written twice is read twice',
  setuptokens: 'its secret is answered once and kept nowhere; one that nobody got expires unused',
};
/** Updates that stand on no version, and why. */
const FREE_UPDATES: Readonly<Record<string, string>> = {
  'patch events': 'the count of a series is merged in; only its writer counts',
};

let way: ApiServerProxy;
let folder: string;
let market: Market;
let stopOperator: () => Promise<void>;
beforeAll(async () => {
  way = await openApiServerProxy(inject('kubeconfig'));
  folder = mkdtempSync(join(tmpdir(), 'dcmarket-writes-'));
  const kubeconfig = join(folder, 'kubeconfig.yaml');
  writeFileSync(kubeconfig, way.kubeconfigText);
  const namespace = await inNamespace('writes');
  market = await openMarket({ cluster: { kubeconfig, namespace }, hasOperator: false });
  const { databaseUrl = '' } = market;
  const timing = { leaseDurationMs: 3000, renewDeadlineMs: 2000, retryPeriodMs: 300 };
  stopOperator = startOperator({ kubeconfig, databaseUrl, namespace, timing });
});
afterAll(async () => {
  await stopOperator();
  await market.close();
  await way.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Of our programs; what the test itself writes by hand has another User-Agent. */
const writes = (): Exchange[] =>
  way.exchanges().filter(({ isWrite, client }) => isWrite && /dcmarket-(operator|facade)/.test(client));

/** The first create of `resource` from now on is carried out, and its answer is lost. */
function loseFirstCreate(resource: string): () => readonly string[] {
  const lost: string[] = [];
  way.decide((exchange) => {
    if (exchange.resource !== resource || exchange.verb !== 'create' || lost.length > 0)
      return { type: 'Pass' };
    lost.push(exchange.name ?? 'without a name');
    return { type: 'LoseReply' };
  });
  return () => lost;
}
/** As a client does that got no answer. */
async function insist(ask: () => Promise<Answer>): Promise<Answer> {
  let answer = await ask();
  for (let tries = 0; tries < 5 && answer.status >= 500; tries++) answer = await ask();
  return answer;
}
const names = (resource: string): (string | undefined)[] =>
  writes()
    .filter((exchange) => exchange.verb === 'create' && exchange.resource === resource)
    .map(({ name }) => name);

test('a whole life: every update stands on a version, every create has a name, a repeated one its own', async () => {
  const pool = await makePool(market);
  const offering = await makeOffering(market, { poolName: pool });
  const keys = generateKeyPair();
  const token = await makeToken(market, pool);

  let lost = loseFirstCreate('agents');
  const join = () =>
    market.call('POST', '/api/v1/agents/setup', { key: keys, body: { token, agentPubkey: keys.publicKey } });
  const joined = await insist(join);
  expect(joined.status, JSON.stringify(joined.body)).toBe(200);
  expect(lost()).toEqual([joined.data.agentName]);

  lost = loseFirstCreate('leases');
  const hypervisor = fakeHypervisor(systemClock, joined.data.installation);
  const state = stateFolder();
  const daemon = startDaemon({
    facade: market.facade,
    providerKey: market.provider.publicKey,
    agent: { keys, uid: joined.data.agentUid },
    installation: joined.data.installation,
    hypervisor,
    stateDir: state.path,
  });
  await eventually(() => lost().length === 1);

  lost = loseFirstCreate('contracts');
  const tenant = generateKeyPair();
  const order = () =>
    market.call('POST', '/api/v1/contracts', {
      key: tenant,
      headers: { 'idempotency-key': 'one-machine-please' },
      body: { offeringId: offering, sshPublicKey: SSH_KEY },
    });
  const rented = await insist(order);
  const id = rented.data.contractId as string;
  expect(lost()).toHaveLength(1);
  const phase = async (): Promise<string | undefined> => (await readContract(market, id)).status?.phase;
  await eventually(async () => (await phase()) === 'Active');
  await market.call('PUT', `/api/v1/contracts/${id}/cancel`, { key: tenant });
  await eventually(async () => (await phase()) === 'Cancelled');
  await market.call('DELETE', `${providerPath(market)}/agents/${keys.publicKey}`, { key: market.provider });
  await daemon.stop();
  state.remove();

  const all = writes();
  expect(new Set(all.map(({ verb, resource }) => `${verb} ${resource}`))).toContain('update contracts');
  const free = all.filter(({ verb, precondition }) => verb !== 'create' && precondition === undefined);
  const known = Object.keys(FREE_UPDATES);
  expect(free.filter(({ verb, resource }) => !known.includes(`${verb} ${resource}`))).toEqual([]);
  const creates = all.filter(({ verb }) => verb === 'create');
  expect(creates.filter(({ name }) => name === undefined)).toEqual([]);
  // The lost ones were sent again under the same name, and there is one object of each.
  for (const resource of ['agents', 'contracts', 'leases']) {
    const ours = names(resource).filter((name) => name !== 'dcmarket-operator');
    expect([resource, new Set(ours).size]).toEqual([resource, 1]);
  }
  const kinds = new Set(creates.map(({ resource }) => resource));
  const repeatable = ['agentpools', 'agents', 'configmaps', 'contracts', 'leases', 'namespaces', 'secrets'];
  expect([...kinds].filter((kind) => !repeatable.includes(kind) && !(kind in RANDOM_NAMES))).toEqual([]);
  expect((await market.clients.contracts.list({ namespace: market.namespace })).items).toHaveLength(1);
  expect((await market.clients.agents.list({ namespace: market.namespace })).items).toHaveLength(1);
});
