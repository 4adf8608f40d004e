/** Contracts that ended, archived and removed from the cluster, as the operator does it. */
import { expect } from 'vitest';
import type { LiveContract } from '../../../crds/contract/contract.ts';
import { end } from '../../../crds/contract/steps.ts';
import { systemClock } from '../../../lib/clock.ts';
import { createLogger } from '../../../lib/log.ts';
import { createStore } from '../../../store/store.ts';
import { accept, eventually, type Market, moveContract, type Rented, readContract } from './harness.ts';

/** Cancelled and in the archive, and still in the cluster. The facade has seen it end. */
export async function endAndArchive(market: Market, { id, tenant }: Rented): Promise<LiveContract> {
  await accept(market, id);
  const cancelled = await market.call('PUT', `/api/v1/contracts/${id}/cancel`, { key: tenant });
  expect(cancelled.status).toBe(200);
  const ended = await moveContract(market, id, (status) =>
    end(status, { to: 'Cancelled', reason: 'CancelledByTenant', message: 'x', now: new Date() }),
  );
  const store = createStore({
    databaseUrl: market.databaseUrl ?? '',
    clock: systemClock,
    log: createLogger({ name: 'test', level: 'fatal' }),
  });
  await store.archive.put(ended);
  await store.close();
  const path = `/api/v1/contracts/${id}`;
  await eventually(async () => (await market.call('GET', path, { key: tenant })).data?.phase === 'Cancelled');
  return ended;
}

/** After the retention time; the facade has seen it go. */
export async function remove(market: Market, { id, tenant }: Rented): Promise<void> {
  const ended = await readContract(market, id);
  await market.clients.contracts.update({ ...ended, metadata: { ...ended.metadata, finalizers: [] } });
  await market.clients.contracts.delete(ended.metadata);
  const path = `/api/v1/contracts/${id}`;
  await eventually(async () => (await market.call('GET', path, { key: tenant })).data?.archived === true);
}

export async function endAndRemove(market: Market, rented: Rented): Promise<void> {
  await endAndArchive(market, rented);
  await remove(market, rented);
}
