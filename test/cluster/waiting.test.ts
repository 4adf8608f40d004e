/** A contract that nobody can build says why, as its provider sees it at a terminal, and not too often. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AgentPool } from '../../crds/agent-pool.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import { EVENTS } from '../../kube/events.ts';
import type { KubeObject } from '../../kube/object.ts';
import { systemClock } from '../../lib/clock.ts';
import { eventually } from '../world/eventually.ts';
import { openTerminal, type Terminal } from './terminal.ts';

const WEB = 'web-1';
let at: Terminal;
beforeAll(async () => {
  at = await openTerminal('waiting');
  const fallbackPools = [{ name: 'europe-hetzner', afterSeconds: 600 }];
  await at.make('AgentPool', 'europe-proxmox', { provisionerType: 'proxmox', fallbackPools });
  await at.make('AgentPool', 'europe-hetzner', { provisionerType: 'hetzner' });
  const resources = { cpu: '16', memory: '64Gi', storage: '200Gi' };
  await at.make('Offering', 'vps-large', { provisionerType: 'proxmox', resources });
  await at.join('node-1', { cpu: '8', memory: '128Gi', storage: '1000Gi' });
  const cordoned = { cordoned: true, cordonReason: 'disk swap', cordonedBy: 'ops@acme' };
  await at.join('node-2', { cpu: '32', memory: '128Gi', storage: '1000Gi' }, cordoned);
  await at.join('cloud-1', undefined, { poolName: 'europe-hetzner' });
});
afterAll(() => at.close());

const schedulable = ({ status }: Contract) => status?.conditions?.find(({ type }) => type === 'Schedulable');
const version = async () => (await at.contractOf(WEB)).metadata.resourceVersion ?? '';

test('kubectl describe says who was passed over, why, and what helps; the tenant reads no name', async () => {
  const since = (await at.agentOf('node-2')).status?.cordonedSince?.slice(11, 19);
  await at.rent(WEB);
  const { status } = await at.contractOf(WEB);
  const sinceMs = Date.parse(status?.history?.at(-1)?.at ?? '');
  const opens = new Date(sinceMs + 600_000).toISOString().slice(11, 19);
  const ends = status?.provisionBy?.slice(11, 19);
  expect(status).toMatchObject({ reason: 'NoEligibleAgent', scheduling: { reason: 'NoEligibleAgent' } });
  const lines = [
    '0 of 3 agents can take 16 CPU, 64Gi memory, 200Gi disk in europe (proxmox):',
    '  europe-proxmox/node-1: too small: 8 CPU in all, 16 CPU wanted',
    `  europe-proxmox/node-2: cordoned by ops@acme since ${since} UTC: "disk swap"`,
    `  europe-hetzner/cloud-1: from ${opens} UTC on (fallback after 600 s)`,
    `What helps: wait for the fallback at ${opens} UTC, uncordon node-2, or add an agent with 16 CPU to europe-proxmox.`,
  ];
  expect(schedulable(await at.contractOf(WEB))).toMatchObject({ status: 'False', message: lines.join('\n') });
  expect(status?.message).toBe(
    'No machine with 16 CPU, 64Gi memory, 200Gi disk is free in Europe right now. Next attempt elsewhere at ' +
      `${opens} UTC. You are not charged while you wait; cancel at any time. ` +
      `It is tried until ${ends} UTC; then it ends and costs nothing.`,
  );
  const described = await at.kubectl('describe', 'contract', WEB);
  for (const line of lines) expect(described).toContain(line.trim());
  expect(described).toMatch(new RegExp(`Provision By:\\s+${status?.provisionBy}`));
  expect(described).toMatch(/Count:\s+1\s+Reason:\s+AgentCordoned/);
});

test('while nothing changes, nothing is written, also by a new operator', async () => {
  const before = await version();
  await at.restart();
  await systemClock.sleep(1500);
  expect(await version()).toBe(before);
});

test('after two minutes it is an Event and a metric, once', async () => {
  type Told = KubeObject & { regarding?: { name?: string }; reason?: string; note?: string; action?: string };
  const told = async (): Promise<string[]> => {
    const { items } = await at.client.resource<Told>(EVENTS).list({ namespace: at.namespace });
    return items
      .filter(({ regarding, action }) => regarding?.name === WEB && action === 'Schedule')
      .map(({ reason, note }) => `${reason}: ${note?.split('\n')[0]}`);
  };
  const metric = (name: string) => at.metric(name, 'reason="NoEligibleAgent"');
  expect(await metric('dcmarket_contracts_unschedulable_total')).toBe('0');
  await at.pass(60_000);
  await systemClock.sleep(300);
  expect(await told()).toEqual([]);
  expect(await metric('dcmarket_contracts_unschedulable')).toBe('0');
  await at.pass(61_000);
  await eventually(async () =>
    expect(await told()).toEqual([
      'NoEligibleAgent: 0 of 3 agents can take 16 CPU, 64Gi memory, 200Gi disk in europe (proxmox):',
    ]),
  );
  expect(await metric('dcmarket_contracts_unschedulable')).toBe('1');
  await at.pass(61_000);
  await systemClock.sleep(300);
  expect(await told()).toHaveLength(1);
  expect(await metric('dcmarket_contracts_unschedulable_total')).toBe('1');
});

test('within a second of an uncordon it says that somebody can', async () => {
  const startedMs = systemClock.monotonicMs();
  await at.cordon('node-2', false);
  await eventually(
    async () => expect(schedulable(await at.contractOf(WEB))).toMatchObject({ status: 'True' }),
    { everyMs: 10 },
  );
  expect(systemClock.monotonicMs() - startedMs).toBeLessThan(1000);
  const { status } = await at.contractOf(WEB);
  expect(status).toMatchObject({ reason: 'AwaitingAgent', message: 'On its way to an agent in Europe.' });
  expect(status?.scheduling).toBeUndefined();
});

test('however often its agents come and go within 5 seconds: two writes, and examples once', async () => {
  await at.pass(31_000);
  const versions = new Set([await version()]);
  const lists = new Set<string>();
  for (let n = 0; n < 12; n++) {
    await at.cordon('node-2', n % 2 === 0);
    for (let looks = 0; looks < 10; looks++) {
      versions.add(await version());
      const { scheduling } = (await at.contractOf(WEB)).status ?? {};
      if (scheduling) lists.add(scheduling.at);
      await systemClock.sleep(15);
    }
  }
  // As it was, that nobody can, and that somebody can again; no more while the clock stands.
  expect([2, 3]).toContain(versions.size);
  expect(lists.size).toBe(1);
});

test('within a second of room being made it says that somebody can again', async () => {
  await at.pass(31_000);
  const agentUID = (await at.agentOf('node-2')).metadata.uid ?? '';
  const place = { pool: 'europe-proxmox', agent: 'node-2' };
  for (const name of ['web-2', 'web-3']) {
    await at.rent(name);
    const grant = { agent: 'node-2', agentUID, epoch: 1 };
    const [now, later] = [0, 300_000].map((ms) => new Date(at.clock.now().getTime() + ms).toISOString());
    const lock = { ...grant, session: 's', acquiredAt: now, renewedAt: now, expiresAt: later };
    await at.leave(name, { ...place, phase: 'Provisioning', epoch: 1, lock, holders: [grant] });
  }
  await at.pass(31_000);
  await eventually(async () =>
    expect((await at.contractOf(WEB)).status?.scheduling?.examples ?? []).toContain(
      'europe-proxmox/node-2: full: 0 CPU free of 32 CPU',
    ),
  );
  await at.pass(31_000);
  const startedMs = systemClock.monotonicMs();
  await at.leave('web-2', { phase: 'Terminating', reason: 'InstanceLost', lock: undefined, holders: [] });
  await eventually(
    async () => expect(schedulable(await at.contractOf(WEB))).toMatchObject({ status: 'True' }),
    { everyMs: 10 },
  );
  expect(systemClock.monotonicMs() - startedMs).toBeLessThan(1000);
});

test('what comes of its fallback pools stands on the pool, and changes with other pools and offerings', async () => {
  const says = async (status: string, message: string): Promise<void> => {
    await at.pass(11_000);
    await eventually(async () => {
      const { conditions } = (await at.read<AgentPool>('AgentPool', 'europe-proxmox')).status ?? {};
      const said = conditions?.find(({ type }) => type === 'FallbacksUsable');
      expect(said).toMatchObject({ status, message });
    });
  };
  const patch = (afterSeconds: number): Promise<string> => {
    const fallbackPools = [
      { name: 'europe-hetzner', afterSeconds: 600 },
      { name: 'us', afterSeconds },
    ];
    const body = JSON.stringify({ spec: { fallbackPools } });
    return at.kubectl('patch', 'agentpool', 'europe-proxmox', '--type=merge', '-p', body);
  };
  await says('True', 'europe-hetzner is asked after 600 s');
  await expect(patch(1801)).rejects.toThrow('should be less than or equal to 1800');
  await patch(60);
  await says('False', 'europe-hetzner is asked after 600 s; us is never asked: there is no such pool');
  await at.make('AgentPool', 'us', { location: 'na', provisionerType: 'proxmox' });
  const unsold = 'us is never asked: it is in na, and nothing that is built here is sold there';
  await says('False', `europe-hetzner is asked after 600 s; ${unsold}`);
  expect(await at.kubectl('describe', 'agentpool', 'europe-proxmox')).toContain(unsold);
  await at.make('Offering', 'wide', { provisionerType: 'proxmox', regions: ['na'] });
  await says('True', 'europe-hetzner is asked after 600 s; us is asked after 60 s');
});
