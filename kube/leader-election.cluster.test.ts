import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { aborted } from '../lib/abort.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { createKubeClient, type KubeClient } from './client.ts';
import { type LeaderElection, NotLeadingError, runLeaderElection } from './leader-election.ts';
import { LEASES, type Lease } from './lease.ts';
import { microTime } from './object.ts';
import { openScene, type Scene } from './testing/cluster.ts';
import { CONFIG_MAPS } from './testing/config-map.ts';
import { startProxy } from './testing/freezable-proxy.ts';

const SHORT = { leaseDurationMs: 3000, renewDeadlineMs: 2000, retryPeriodMs: 200 };
let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.close());

type Candidate = Readonly<{
  election: LeaderElection;
  /** `+` when it began to lead, `-` when it had stopped, with the time. */
  history: readonly Readonly<{ what: '+' | '-'; atMs: number }>[];
  stop: () => Promise<void>;
}>;

function candidate(
  name: string,
  identity: string,
  { client = scene.client, clock = systemClock }: { client?: KubeClient; clock?: Clock } = {},
): Candidate {
  const stop = new AbortController();
  const history: { what: '+' | '-'; atMs: number }[] = [];
  const note = (what: '+' | '-') => history.push({ what, atMs: performance.now() });
  const election = runLeaderElection({
    ...{ client, clock, namespace: scene.namespace, name, identity, ...SHORT, signal: stop.signal },
    onStartedLeading: async (signal) => {
      note('+');
      await aborted(signal);
    },
    onStoppedLeading: () => note('-'),
  });
  const end = async (): Promise<void> => {
    stop.abort();
    await election.done;
  };
  return { election, history, stop: end };
}

const leaseOf = (name: string) =>
  scene.client.resource<Lease>(LEASES).get({ namespace: scene.namespace, name });
const toLead = ({ election }: Candidate, timeout = 5000) =>
  expect.poll(election.isLeader, { timeout, interval: 20 }).toBe(true);

test('one of two leads; when it stops, the other leads at once', async () => {
  const a = candidate('graceful', 'a');
  await toLead(a);
  const b = candidate('graceful', 'b');
  await systemClock.sleep(600);
  expect(b.election.isLeader()).toBe(false);
  expect((await leaseOf('graceful'))?.spec).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 3 });
  const stoppedMs = performance.now();
  await a.stop();
  await toLead(b);
  expect(performance.now() - stoppedMs).toBeLessThan(1500); // without the release: 3000
  expect((await leaseOf('graceful'))?.spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
  await b.stop();
  expect(a.history.map(({ what }) => what)).toEqual(['+', '-']);
});

test('a leader that is cut off stops before another one begins', { timeout: 30_000 }, async () => {
  const proxy = await startProxy(inject('kubeconfig'));
  const client = createKubeClient({ kubeconfig: proxy.kubeconfig });
  const a = candidate('cut', 'a', { client });
  await toLead(a);
  const b = candidate('cut', 'b');
  proxy.freeze();
  await toLead(b, 10_000);
  expect(a.election.isLeader()).toBe(false);
  expect(a.history.at(-1)?.what).toBe('-');
  expect(Number(a.history.at(-1)?.atMs)).toBeLessThan(Number(b.history[0]?.atMs));
  proxy.thaw();
  await systemClock.sleep(1000);
  expect([a.election.isLeader(), b.election.isLeader()]).toEqual([false, true]);
  await b.stop();
  await toLead(a);
  await a.stop();
  await client.close();
  await proxy.close();
});

test('a leader that was frozen knows it before its next write', async () => {
  let sleptMs = 0;
  const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + sleptMs };
  const a = candidate('frozen', 'a', { clock });
  await toLead(a);
  const guarded = scene.client.guarded(a.election.assertLeading).resource(CONFIG_MAPS);
  const metadata = { namespace: scene.namespace, name: 'guarded' };
  await guarded.create({ metadata });
  sleptMs = 2000;
  await expect(guarded.delete(metadata)).rejects.toBeInstanceOf(NotLeadingError);
  await a.stop();
});

test('the timestamps of others are not believed, only that the record does not change', async () => {
  const leases = scene.client.resource<Lease>(LEASES);
  const heldSince = (renewedAt: number) => ({
    holderIdentity: 'somebody',
    leaseDurationSeconds: 2,
    acquireTime: microTime(new Date(renewedAt)),
    renewTime: microTime(new Date(renewedAt)),
  });
  for (const [name, offsetMs] of [
    ['past', -3_600_000],
    ['future', 3_600_000],
  ] as const) {
    await leases.create({
      metadata: { namespace: scene.namespace, name },
      spec: heldSince(Date.now() + offsetMs),
    });
  }
  const past = candidate('past', 'me');
  const future = candidate('future', 'me');
  await systemClock.sleep(1500);
  expect([past.election.isLeader(), future.election.isLeader()]).toEqual([false, false]);
  await Promise.all([toLead(past), toLead(future)]);
  await Promise.all([past.stop(), future.stop()]);
});

test('a candidate whose clock is ten minutes off takes nothing over early, and loses nothing early', {
  timeout: 30_000,
}, async () => {
  const off = (ms: number): Clock => ({ ...systemClock, now: () => new Date(Date.now() + ms) });
  const race = async (offsetMs: number): Promise<void> => {
    const name = offsetMs > 0 ? 'clock-ahead' : 'clock-behind';
    const proxy = await startProxy(inject('kubeconfig'));
    const client = createKubeClient({ kubeconfig: proxy.kubeconfig });
    const a = candidate(name, 'right', { client });
    await toLead(a);
    const b = candidate(name, 'off', { clock: off(offsetMs) });
    await systemClock.sleep(SHORT.leaseDurationMs + 500); // longer than a lease: it is renewed
    expect([a.election.isLeader(), b.election.isLeader()]).toEqual([true, false]);
    proxy.freeze();
    await toLead(b, 10_000);
    expect(a.election.isLeader()).toBe(false);
    expect(Number(a.history.at(-1)?.atMs)).toBeLessThan(Number(b.history[0]?.atMs));
    proxy.thaw();
    await systemClock.sleep(600);
    expect([a.election.isLeader(), b.election.isLeader()]).toEqual([false, true]);
    await Promise.all([a.stop(), b.stop()]);
    await client.close();
    await proxy.close();
  };
  await Promise.all([race(600_000), race(-600_000)]);
});

test('a leader outlives its own lease by renewing', { timeout: 20_000 }, async () => {
  const a = candidate('long', 'a');
  const b = candidate('long', 'b');
  await expect.poll(() => a.election.isLeader() || b.election.isLeader()).toBe(true);
  const leader = a.election.isLeader() ? a : b;
  for (let step = 0; step < 40; step++) {
    await systemClock.sleep(100);
    expect([a, b].filter(({ election }) => election.isLeader())).toEqual([leader]);
  }
  await Promise.all([a.stop(), b.stop()]);
});
