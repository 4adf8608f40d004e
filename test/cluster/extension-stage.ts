/**
 * What the tests of extensions have: a real operator and facade, a provider that allows `MOST` hours, its pool and
 * agent. Time passes by moving the contract's instants back.
 */
import { inject } from 'vitest';
import type { LiveContract } from '../../crds/contract/contract.ts';
import type { ContractSpec } from '../../crds/contract/spec.ts';
import { GROUP, VERSION } from '../../crds/group.ts';
import type { PriceValue } from '../../crds/price.ts';
import { isConflict } from '../../kube/error.ts';
import { createDatabase, inNamespace } from '../world/cluster.ts';
import { startOperator } from '../world/operator.ts';
import {
  eventually,
  joinAgent,
  type Market,
  makeOffering,
  makePool,
  mustLive,
  openMarket,
  providerPath,
  type Rented,
  readContract,
  rent,
} from './api/harness.ts';

const HOUR_MS = 3_600_000;
/** What the provider allows, whatever its offerings do. Hours. */
export const MOST = 240;

export const eur = (amountMinor: number): PriceValue => ({ amountMinor, currency: 'EUR', per: 'Day' });

/** Hours from the first Active to the end. */
export const hoursOf = ({ status }: LiveContract): number =>
  (Date.parse(status.endsAt ?? '') - Date.parse(status.startsAt ?? '')) / HOUR_MS;

export type Sold = Rented & Readonly<{ place: { namespace: string; name: string } }>;
export type Stage = Awaited<ReturnType<typeof openStage>>;

export async function openStage(name: string) {
  const namespace = await inNamespace(name);
  const database = await createDatabase();
  const kubeconfig = inject('kubeconfig');
  const stopOperator = startOperator({ kubeconfig, databaseUrl: database.url, namespace });
  const market: Market = await openMarket({
    cluster: { kubeconfig, namespace },
    hasOperator: true,
    withDatabase: false,
    environment: { DATABASE_URL: database.url },
  });
  const path = '/api/v1/provider/settings/acceptance';
  const body = { mode: 'Automatic', maxDurationHours: MOST };
  await market.call('PUT', path, { key: market.provider, body });
  const pool = await makePool(market);
  const agent = await joinAgent(market, pool);

  const ask = ({ id, tenant }: Rented, method: string, path: string, body?: object) =>
    market.call(method, `/api/v1/contracts/${id}${path}`, { key: tenant, body });
  const live = async ({ id }: Rented): Promise<LiveContract> => mustLive(await readContract(market, id));
  const reasons = async (rented: Rented): Promise<string[]> =>
    ((await live(rented)).status.history ?? []).map(({ reason }) => reason);
  const until = (rented: Rented, isSo: (contract: LiveContract) => boolean): Promise<void> =>
    eventually(async () => {
      const contract = await readContract(market, rented.id);
      return contract.status !== undefined && isSo(mustLive(contract));
    });
  const asAgent = (path: string, body: object) =>
    market.call('POST', `${providerPath(market)}${path}`, {
      key: agent.keys,
      body: { session: agent.session, incarnation: agent.incarnation, ...body },
    });

  /** For nothing and 24 hours; hours that are added cost what the offering asks then, unless the terms hold. */
  const offered = (price: 'Same' | 'Current' = 'Current'): Promise<string> =>
    makeOffering(market, {
      poolName: pool,
      price: eur(0),
      extension: { price },
      duration: { minHours: 1, maxHours: 720, defaultHours: 24 },
    });

  /** Rented, and running. */
  async function running(): Promise<Sold> {
    const offering = await offered();
    const rented = await rent(market, offering);
    await eventually(
      async () => (await asAgent(`/contracts/${rented.id}/lock`, { observedEpoch: 0 })).status === 200,
    );
    const instanceDetails = { externalId: 'vm', sshPort: 22, verifiedAt: new Date().toISOString() };
    await asAgent(`/contracts/${rented.id}/provisioned`, { epoch: 1, instanceDetails });
    await until(rented, ({ status }) => status.phase === 'Active');
    return { ...rented, place: { namespace: market.namespace, name: offering.split('/')[1] ?? '' } };
  }

  /** The provider asks another price, and the facade knows it. */
  async function asks(sold: Sold, price: PriceValue): Promise<void> {
    await eventually(async () => {
      const offering = await market.clients.offerings.get(sold.place);
      if (!offering) return false;
      return market.clients.offerings.update({ ...offering, spec: { ...offering.spec, price } }).then(
        () => true,
        () => false, // the operator wrote in between
      );
    });
    await eventually(
      async () => (await ask(sold, 'GET', '')).data.extension.price.amountMinor === price.amountMinor,
    );
  }

  const change = (rented: Rented, spec: Partial<ContractSpec>): Promise<void> =>
    eventually(async () => {
      const contract = await live(rented);
      return market.clients.contracts.update({ ...contract, spec: { ...contract.spec, ...spec } }).then(
        () => true,
        () => false,
      );
    });

  /** What the API server says to it as YAML: `taken`, or why not; nothing is changed. */
  async function tryChange(rented: Rented, change: Partial<ContractSpec>): Promise<string> {
    const contract = await live(rented);
    const path = `/apis/${GROUP}/${VERSION}/namespaces/${market.namespace}/contracts/${contract.metadata.name}`;
    const body = { ...contract, spec: { ...contract.spec, ...change } };
    return market.kube.raw({ method: 'PUT', path, query: { dryRun: 'All' }, body }).then(
      () => 'taken',
      // The operator wrote in between.
      (error: unknown) => (isConflict(error) ? tryChange(rented, change) : String(error)),
    );
  }

  const pass = (rented: Rented, hours: number): Promise<void> =>
    eventually(async () => {
      const contract = await live(rented);
      const startsAt = new Date(Date.parse(contract.status.startsAt ?? '') - hours * HOUR_MS).toISOString();
      return market.clients.contracts
        .updateStatus({ ...contract, status: { ...contract.status, startsAt } })
        .then(
          () => true,
          () => false,
        );
    });
  const close = async (): Promise<void> => {
    await stopOperator();
    await market.close();
    await database.drop();
  };
  return { market, ask, live, reasons, until, offered, running, asks, change, tryChange, pass, close };
}
