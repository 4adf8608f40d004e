/** The agents' path once a lock was granted: cancel, reports of the wrong epoch, clones, reconcile; who is told to destroy. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { end, terminate } from '../../../crds/contract/steps.ts';
import {
  eventually,
  heartbeat,
  joinAgent,
  type Market,
  makeOffering,
  makePool,
  moveContract,
  openMarket,
  providerPath,
  readContract,
  rentAccepted,
  type TestAgent,
} from './harness.ts';

let market: Market;
let pool: string;
let offering: string;

beforeAll(async () => {
  market = await openMarket();
  pool = await makePool(market);
  offering = await makeOffering(market, { poolName: pool });
});
afterAll(() => market?.close());

const details = (externalId: string) => ({ externalId, ipAddress: '127.0.0.1', sshPort: 2200 });
const lockPath = (id: string): string => `${providerPath(market)}/contracts/${id}/lock`;
const sessionOf = ({ session, incarnation }: TestAgent) => ({ session, incarnation });

test('after a cancel the renewal says Destroy, the work list too, and terminated confirms', async () => {
  const agent = await joinAgent(market, pool);
  const { id, tenant } = await rentAccepted(market, offering);
  await market.call('POST', lockPath(id), {
    key: agent.keys,
    body: { ...sessionOf(agent), observedEpoch: 0 },
  });
  const cancelled = await market.call('PUT', `/api/v1/contracts/${id}/cancel`, {
    key: tenant,
    body: { note: 'changed my mind' },
  });
  expect(cancelled).toMatchObject({ status: 200, data: { cancelRequested: true } });
  await moveContract(market, id, (status) =>
    terminate(status, { reason: 'CancelledByTenant', message: 'Cancelled', now: new Date() }),
  );
  const renewed = await market.call('POST', lockPath(id), {
    key: agent.keys,
    body: { ...sessionOf(agent), epoch: 1 },
  });
  expect(renewed).toMatchObject({ status: 200, data: { acquired: false, then: 'Destroy' } });
  const report = await market.call('POST', `${providerPath(market)}/contracts/${id}/provisioned`, {
    key: agent.keys,
    body: { epoch: 1, session: agent.session, instanceDetails: details('vm-late') },
  });
  expect(report).toMatchObject({ status: 200, data: { then: 'Destroy' } });
  await eventually(async () => {
    const { data } = await market.call('GET', `${providerPath(market)}/work?wait=0`, { key: agent.keys });
    return data.some(
      (item: { action: string; contractId: string }) => item.action === 'Destroy' && item.contractId === id,
    );
  });
  const gone = await market.call('PUT', `${providerPath(market)}/contracts/${id}/terminated`, {
    key: agent.keys,
    body: { ...sessionOf(agent), epoch: 1 },
  });
  expect(gone.data).toEqual({ confirmed: true });
  await moveContract(market, id, (status) =>
    end(status, { to: 'Cancelled', reason: 'CancelledByTenant', message: 'Cancelled', now: new Date() }),
  );
  const again = await market.call('PUT', `${providerPath(market)}/contracts/${id}/terminated`, {
    key: agent.keys,
    body: sessionOf(agent),
  });
  expect(again.data).toEqual({ confirmed: false });
});

test('a report of a superseded epoch is refused with 409 and changes nothing', async () => {
  const agent = await joinAgent(market, pool);
  const other = await joinAgent(market, pool);
  const { id } = await rentAccepted(market, offering);
  await market.call('POST', lockPath(id), {
    key: agent.keys,
    body: { ...sessionOf(agent), observedEpoch: 0 },
  });
  await market.call('DELETE', lockPath(id), { key: agent.keys, body: { ...sessionOf(agent), epoch: 1 } });
  const claimed = await market.call('POST', lockPath(id), {
    key: other.keys,
    body: { ...sessionOf(other), observedEpoch: 2 },
  });
  expect(claimed.data.epoch).toBe(3);
  const before = await readContract(market, id);
  const late = await market.call('POST', `${providerPath(market)}/contracts/${id}/provisioned`, {
    key: agent.keys,
    body: { epoch: 1, session: agent.session, instanceDetails: details('vm-old') },
  });
  expect(late).toMatchObject({ status: 409, body: { code: 'StaleEpoch', data: { then: 'Destroy' } } });
  expect((await readContract(market, id)).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
});

test('a failed attempt says when the next one is', async () => {
  const agent = await joinAgent(market, pool);
  const { id } = await rentAccepted(market, offering);
  await market.call('POST', lockPath(id), {
    key: agent.keys,
    body: { ...sessionOf(agent), observedEpoch: 0 },
  });
  const failed = await market.call('POST', `${providerPath(market)}/contracts/${id}/failed`, {
    key: agent.keys,
    body: { epoch: 1, session: agent.session, error_message: 'no space on node-7 left', class: 'transient' },
  });
  expect(failed).toMatchObject({ status: 200, data: { willRetry: true, then: 'Destroy' } });
  expect(Date.parse(failed.data.notBefore)).toBeGreaterThan(Date.now());
});

test('a cloned agent is refused as DuplicateAgent, a restarted one takes over and is granted anew', async () => {
  const agent = await joinAgent(market, pool);
  const clone = { ...agent, session: 'another-session-1' };
  const refused = await heartbeat(market, clone);
  expect(refused).toMatchObject({ status: 409, body: { code: 'DuplicateAgent' } });
  const fresh = await joinAgent(market, pool);
  const { id } = await rentAccepted(market, offering);
  await market.call('POST', lockPath(id), {
    key: fresh.keys,
    body: { ...sessionOf(fresh), observedEpoch: 0 },
  });
  const restarted = { ...fresh, session: 'restarted-session', incarnation: 2 };
  const claimed = await market.call('POST', lockPath(id), {
    key: fresh.keys,
    body: { ...sessionOf(restarted), observedEpoch: 1 },
  });
  expect(claimed).toMatchObject({ status: 200, data: { acquired: true, epoch: 2 } });
  const early = await market.call('PUT', `${providerPath(market)}/contracts/${id}/terminated`, {
    key: fresh.keys,
    body: { ...sessionOf(restarted), epoch: 1 },
  });
  expect(early).toMatchObject({ status: 409, body: { code: 'AbsenceNotYetCertain' } });
});

test('reconcile keeps the instance, orders what is superseded, and asks to confirm what is not listed', async () => {
  const agent = await joinAgent(market, pool);
  const other = await joinAgent(market, pool);
  const [kept, superseded, missing] = [
    await rentAccepted(market, offering),
    await rentAccepted(market, offering),
    await rentAccepted(market, offering),
  ];
  for (const { id } of [kept, superseded, missing])
    await market.call('POST', lockPath(id), {
      key: agent.keys,
      body: { ...sessionOf(agent), observedEpoch: 0 },
    });
  await market.call('POST', `${providerPath(market)}/contracts/${kept.id}/provisioned`, {
    key: agent.keys,
    body: { epoch: 1, session: agent.session, instanceDetails: details('vm-kept') },
  });
  for (const { id } of [superseded, missing]) {
    await market.call('POST', `${providerPath(market)}/contracts/${id}/failed`, {
      key: agent.keys,
      body: { ...sessionOf(agent), epoch: 1, errorMessage: 'it broke' },
    });
  }
  const unknown = 'f'.repeat(32);
  const { data } = await market.call('POST', `${providerPath(market)}/reconcile`, {
    key: agent.keys,
    body: {
      ...sessionOf(agent),
      runningInstances: [
        { externalId: 'vm-kept', contractId: kept.id, epoch: 1 },
        { externalId: 'vm-old', contractId: superseded.id, epoch: 1 },
        { externalId: 'vm-strange', contractId: unknown, epoch: 1 },
        { externalId: 'vm-other-house', contractId: kept.id, epoch: 1, installation: 'somebody-else' },
      ],
    },
  });
  expect(data.keep).toMatchObject([{ externalId: 'vm-kept', epoch: 1 }]);
  expect(data.terminate).toMatchObject([{ externalId: 'vm-old', epoch: 1, reason: 'Superseded' }]);
  expect(data.unknown).toMatchObject([{ externalId: 'vm-strange' }]);
  expect(data.confirm).toEqual([{ contractId: missing.id, epoch: 1 }]);
  expect(other.uid).not.toBe(agent.uid);
});
