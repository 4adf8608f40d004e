/**
 * A facade on the shared API server, a provider of its own, and signed calls. What the operator does elsewhere
 * (Ready providers, accepted contracts) is written here directly, through the same rules.
 */
import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { type Clients, createClients } from '../../../api/clients.ts';
import { readConfig } from '../../../api/config.ts';
import { startFacade } from '../../../api/facade.ts';
import type { Agent } from '../../../crds/agent.ts';
import {
  type Contract,
  isLive,
  type LiveContract,
  uidOfContractId,
} from '../../../crds/contract/contract.ts';
import type { ContractStatus } from '../../../crds/contract/status.ts';
import { firstStatus } from '../../../crds/contract/steps.ts';
import { FINALIZER } from '../../../crds/group.ts';
import type { Offering } from '../../../crds/offering.ts';
import { createKubeClient } from '../../../kube/client.ts';
import { type Clock, systemClock } from '../../../lib/clock.ts';
import { createLogger } from '../../../lib/log.ts';
import { generateKeyPair, type KeyPair } from '../../../lib/signature/keys.ts';
import { createStore } from '../../../store/store.ts';
import { createDatabase, inNamespace } from '../../world/cluster.ts';
import { caller } from './calls.ts';
import { type Market, providerPath } from './market.ts';

export { heartbeat, joinAgent, joinReferenceAgent, makeToken, type TestAgent } from './agents.ts';
export { type Answer, type Call, type CallOptions, caller } from './calls.ts';
export { type Market, providerPath } from './market.ts';

export const SSH_KEY =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJ1dCB0aGlzIGlzIG9ubHkgYSB0ZXN0IGtleSBvZiBvdXJz test';

type Options = Readonly<{
  environment?: Readonly<Record<string, string>>;
  withDatabase?: boolean;
  /** Instead of the shared cluster, with a namespace that is there. */
  cluster?: Readonly<{ kubeconfig: string; namespace: string }>;
  /** The operator of the cluster makes providers Ready; otherwise they are made so here. */
  hasOperator?: boolean;
  clock?: Clock;
}>;

/** Answers when the facade listens and its provider may sell; a second call makes another one beside it. */
export async function openMarket(options: Options = {}): Promise<Market> {
  const {
    environment = {},
    withDatabase = true,
    cluster,
    hasOperator = false,
    clock = systemClock,
  } = options;
  const log = createLogger({ name: 'test', level: process.env['TEST_LOG'] === 'debug' ? 'debug' : 'fatal' });
  const database = withDatabase ? await createDatabase() : undefined;
  // Beside an operator too, which does the same: whoever rents at once needs it done.
  const databaseUrl = database?.url ?? (hasOperator ? environment['DATABASE_URL'] : undefined);
  if (databaseUrl) {
    const store = createStore({ databaseUrl, clock: systemClock, log });
    await store.migrate();
    await store.close();
  }
  const namespace = cluster?.namespace ?? (await inNamespace('api'));
  const kubeconfig = { file: cluster?.kubeconfig ?? inject('kubeconfig') };
  const kube = createKubeClient({ kubeconfig });
  const clients = createClients(kube);
  const facade = await startFacade({
    config: readConfig({
      PORT: '0',
      INSTALLATION_NAMESPACE: namespace,
      HEAD_START_SECONDS: '0', // an agent of a test claims when the test says so
      ...(database ? { DATABASE_URL: database.url } : {}),
      ...environment,
    }),
    kubeconfig,
    clock,
    log,
    signal: new AbortController().signal,
  });
  const provider = await makeProvider(clients, namespace, { hasOperator });
  const call = caller(facade.url);
  await eventually(
    async () => (await call('GET', `/api/v1/providers/${provider.publicKey}`)).data?.ready === true,
  );
  return {
    facade,
    kube,
    clients,
    namespace,
    provider,
    databaseUrl: database?.url,
    call,
    close: async () => {
      await facade.stop();
      await kube.close();
      await database?.drop();
    },
  };
}

/** A Provider that is Ready, as the operator would leave it. */
export async function makeProvider(
  clients: Clients,
  namespace: string,
  { hasOperator }: Readonly<{ hasOperator: boolean }> = { hasOperator: false },
): Promise<KeyPair> {
  const keys = generateKeyPair();
  const created = await clients.providers.create({
    metadata: { name: namespace },
    spec: {
      publicKey: keys.publicKey,
      displayName: `Provider ${namespace}`,
      namespace,
      acceptance: { mode: 'Automatic' },
    },
  });
  if (hasOperator) return keys;
  const ready = { type: 'Ready', status: 'True' as const, reason: 'Ready', message: 'It may sell.' };
  await clients.providers.updateStatus({
    ...created,
    status: { conditions: [{ ...ready, lastTransitionTime: new Date().toISOString() }] },
  });
  return keys;
}

/** Polls until it holds; a test fails with the last error after 10 s. */
export async function eventually(holds: () => Promise<boolean> | boolean, withinMs = 10_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline)
      throw new Error(`did not come true within ${withinMs} ms: ${holds.toString()}`);
    await systemClock.sleep(20);
  }
}

export async function makePool(market: Market, name = `pool-${unique()}`): Promise<string> {
  const { status, body, data } = await market.call('POST', `${providerPath(market)}/pools`, {
    key: market.provider,
    body: { name, location: 'europe', provisionerType: 'script' },
  });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return data.poolId;
}

export async function makeOffering(market: Market, spec: Partial<Offering['spec']> = {}): Promise<string> {
  const name = `offer-${unique()}`;
  await market.clients.offerings.create({
    metadata: { namespace: market.namespace, name },
    spec: {
      title: 'VPS',
      country: 'DE',
      provisionerType: 'script',
      resources: { cpu: '2', memory: '4Gi', storage: '40Gi' },
      price: { amountMinor: 0, currency: 'EUR', per: 'Month' },
      duration: { minHours: 1, maxHours: 8760, defaultHours: 720 },
      visibility: 'Public',
      allowRecreation: false,
      ...spec,
    },
  });
  const id = `${market.namespace}/${name}`;
  await eventually(
    async () =>
      (await market.call('GET', `/api/v1/offerings/${id}`)).status !== 404 || spec.visibility === 'Private',
  );
  return id;
}

export type Rented = Readonly<{ id: string; tenant: KeyPair }>;

export async function rent(
  market: Market,
  offeringId: string,
  tenant: KeyPair = generateKeyPair(),
  more: object = {},
): Promise<Rented> {
  const { data, body } = await market.call('POST', '/api/v1/contracts', {
    key: tenant,
    body: { offeringId, sshPublicKey: SSH_KEY, ...more },
  });
  if (!data) throw new Error(JSON.stringify(body));
  return { id: data.contractId, tenant };
}

/** What the operator does with a new contract: finalizer, then Accepted. */
export async function accept(market: Market, id: string): Promise<LiveContract> {
  const contract = await readContract(market, id);
  const prepared = await market.clients.contracts.update({
    ...contract,
    metadata: { ...contract.metadata, finalizers: [FINALIZER] },
  });
  const status = firstStatus({
    to: 'Accepted',
    reason: 'Accepted',
    message: 'Waiting for an agent',
    now: new Date(),
  });
  return mustLive(await market.clients.contracts.updateStatus({ ...prepared, status }));
}

/** A contract that waits for an agent of some pool in Europe. */
export async function rentAccepted(market: Market, offeringId: string): Promise<Rented> {
  const rented = await rent(market, offeringId);
  await accept(market, rented.id);
  return rented;
}

export async function readContract({ clients, namespace }: Market, id: string): Promise<Contract> {
  const uid = uidOfContractId(id);
  const { items } = await clients.contracts.list({ namespace });
  const contract = items.find(({ metadata }) => metadata.uid === uid);
  if (!contract) throw new Error(`no contract ${id} in ${namespace}`);
  return contract;
}

/** Writes the next status as the operator would, from what is there now. */
export async function moveContract(
  market: Market,
  id: string,
  next: (status: ContractStatus, contract: LiveContract) => ContractStatus,
): Promise<LiveContract> {
  const contract = mustLive(await readContract(market, id));
  return mustLive(
    await market.clients.contracts.updateStatus({ ...contract, status: next(contract.status, contract) }),
  );
}

export async function changeAgent(
  { clients, namespace }: Market,
  name: string,
  spec: Partial<Agent['spec']>,
): Promise<void> {
  const agent = await clients.agents.get({ namespace, name });
  if (!agent) throw new Error(`no agent ${name}`);
  await clients.agents.update({ ...agent, spec: { ...agent.spec, ...spec } });
}

export function mustLive(contract: Contract): LiveContract {
  if (!isLive(contract)) throw new Error('the contract has no status');
  return contract;
}

export const unique = (): string => randomBytes(4).toString('hex');
