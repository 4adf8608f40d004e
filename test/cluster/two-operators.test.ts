/**
 * Of two operators one acts. The leader is cut off past its Lease, with a write of its own on the way; the other
 * one goes on; then the late write arrives and the old leader hears everything again. Nothing changes by it.
 * (With processes that are stopped by SIGSTOP: test/faults/crash/two-operators.sweep.ts.)
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Contract } from '../../crds/contract/contract.ts';
import { startProxy } from '../../kube/testing/freezable-proxy.ts';
import { systemClock } from '../../lib/clock.ts';
import { openApiServerProxy } from '../faults/proxy/api-server.ts';
import { startOperator } from '../world/operator.ts';
import {
  eventually,
  joinAgent,
  type Market,
  makeOffering,
  makePool,
  openMarket,
  providerPath,
  type Rented,
  readContract,
  rent,
  type TestAgent,
} from './api/harness.ts';

const timing = { leaseDurationMs: 2000, renewDeadlineMs: 1500, retryPeriodMs: 200, watchStallMs: 3000 };
/** Longer than the Lease, and than a job takes. */
const LATE_MS = 9000;

let market: Market;
let agent: TestAgent;
let offering: string;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dcmarket-operators-'));
  market = await openMarket();
  const pool = await makePool(market);
  agent = await joinAgent(market, pool);
  offering = await makeOffering(market, { poolName: pool });
});
afterAll(async () => {
  await market.close();
  rmSync(folder, { recursive: true, force: true });
});

function start(identity: string, kubeconfigText: string): () => Promise<void> {
  const kubeconfig = join(folder, `${identity}.yaml`);
  writeFileSync(kubeconfig, kubeconfigText);
  const { namespace, databaseUrl = '' } = market;
  return startOperator({ kubeconfig, databaseUrl, namespace, identity, timing });
}
const leaderLease = () =>
  market.clients.leases.get({ namespace: market.namespace, name: 'dcmarket-operator' });
const leads = async (identity: string): Promise<boolean> =>
  (await leaderLease())?.spec.holderIdentity === identity;
const phaseOf = async (id: string): Promise<string | undefined> =>
  (await readContract(market, id)).status?.phase;

/** From the order to Active, and to the end. */
async function job({ id, tenant }: Rented): Promise<void> {
  const base = `${providerPath(market)}/contracts/${id}`;
  const speaker = { session: agent.session, incarnation: agent.incarnation };
  const as = { key: agent.keys };
  await eventually(async () => (await phaseOf(id)) === 'Accepted');
  await eventually(
    async () =>
      (await market.call('POST', `${base}/lock`, { ...as, body: { ...speaker, observedEpoch: 0 } }))
        .status === 200,
  );
  const instanceDetails = {
    externalId: `vm-${id}`,
    ipAddress: '198.51.100.7',
    sshPort: 22,
    hostKeyFingerprint: 'SHA256:abcdefghijklmnop',
    verifiedAt: new Date().toISOString(),
  };
  await market.call('POST', `${base}/provisioned`, {
    ...as,
    body: { ...speaker, epoch: 1, instanceDetails },
  });
  await eventually(async () => (await phaseOf(id)) === 'Active');
  await market.call('PUT', `/api/v1/contracts/${id}/cancel`, { key: tenant });
  await eventually(async () => (await phaseOf(id)) === 'Terminating');
  await market.call('PUT', `${base}/terminated`, { ...as, body: { ...speaker, epoch: 1 } });
  await eventually(async () => (await phaseOf(id)) === 'Cancelled');
}

/** As it is once nobody has written it for a second. */
async function quiet(id: string): Promise<Contract> {
  for (;;) {
    const before = await readContract(market, id);
    await systemClock.sleep(1000);
    const after = await readContract(market, id);
    if (after.metadata.resourceVersion === before.metadata.resourceVersion) return after;
  }
}

const MOVES = ['Accepted', 'Provisioning', 'Provisioned', 'Active', 'Terminating', 'Cancelled'];
const movesOf = ({ status }: Contract): string[] => (status?.history ?? []).map(({ to }) => to);

test('a write that a stalled leader had begun arrives late and changes nothing', {
  timeout: 60_000,
}, async () => {
  const way = await openApiServerProxy(inject('kubeconfig'));
  const stopFirst = start('first', way.kubeconfigText);
  await eventually(() => leads('first'));
  const direct = await openApiServerProxy(inject('kubeconfig'));
  const stopSecond = start('second', direct.kubeconfigText);
  await systemClock.sleep(500);

  // From its first write of a contract's status on, whatever the leader sends arrives late, and it hears nothing.
  const late: { status: number; what: string }[] = [];
  let stalledMs: number | undefined;
  way.decide(({ isWrite, resource, subresource, verb }) => {
    if (stalledMs === undefined && isWrite && resource === 'contracts' && subresource === 'status') {
      stalledMs = systemClock.monotonicMs();
      way.breakWatches('Stall');
    }
    if (stalledMs === undefined) return { type: 'Pass' };
    const leftMs = stalledMs + LATE_MS - systemClock.monotonicMs();
    if (leftMs > 0) return { type: 'Delay', ms: leftMs };
    if (!isWrite) return { type: 'Pass' };
    const run = async (status: number): Promise<void> => {
      late.push({ status, what: `${verb} ${resource}` });
    };
    return { type: 'AfterCommit', run, reply: 'Send' };
  });
  const rented = await rent(market, offering);
  await job(rented);
  expect(await leads('second')).toBe(true);
  const done = await quiet(rented.id);
  expect(movesOf(done)).toEqual(MOVES);
  expect(systemClock.monotonicMs()).toBeLessThan((stalledMs ?? 0) + LATE_MS);

  await eventually(() => stalledMs !== undefined && systemClock.monotonicMs() > stalledMs + LATE_MS + 3000);
  expect(
    way.exchanges().filter(({ resource, isWrite }) => isWrite && resource === 'contracts').length,
  ).toBeGreaterThan(0);
  // What the old leader sent after it woke: nothing that anybody took.
  expect(late.filter(({ status, what }) => status < 300 && !what.endsWith('leases'))).toEqual([]);
  expect((await readContract(market, rented.id)).metadata.resourceVersion).toBe(
    done.metadata.resourceVersion,
  );
  expect(await leads('second')).toBe(true);

  await stopSecond();
  await eventually(() => leads('first'));
  way.decide(() => ({ type: 'Pass' }));
  await job(await rent(market, offering));
  await stopFirst();
  await Promise.all([way.close(), direct.close()]);
});

test('a leader whose network is silent for a while is followed, and stays a standby after it', {
  timeout: 60_000,
}, async () => {
  const way = await startProxy(inject('kubeconfig'));
  const text = 'text' in Object(way.kubeconfig) ? (way.kubeconfig as { text: string }).text : '';
  const stopFirst = start('third', text);
  await eventually(() => leads('third'));
  const direct = await openApiServerProxy(inject('kubeconfig'));
  const stopSecond = start('fourth', direct.kubeconfigText);
  await systemClock.sleep(500);
  const rented = await rent(market, offering);
  way.freeze();
  await job(rented);
  expect(await leads('fourth')).toBe(true);
  const transitions = async () => (await leaderLease())?.spec as { leaseTransitions?: number };
  const before = (await transitions()).leaseTransitions;
  const done = await quiet(rented.id);
  way.thaw();
  await systemClock.sleep(2000);
  expect(await leads('fourth')).toBe(true);
  expect((await transitions()).leaseTransitions).toBe(before);
  expect(movesOf(await readContract(market, rented.id))).toEqual(MOVES);
  expect((await readContract(market, rented.id)).metadata.resourceVersion).toBe(
    done.metadata.resourceVersion,
  );
  await Promise.all([stopFirst(), stopSecond()]);
  await Promise.all([way.close(), direct.close()]);
});
