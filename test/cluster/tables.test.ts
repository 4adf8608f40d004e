/** `kubectl get agents` and `agentpools`: figures made anew from the contracts, written now and then. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Agent } from '../../crds/agent.ts';
import type { AgentPool } from '../../crds/agent-pool.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import { EVENTS } from '../../kube/events.ts';
import type { KubeObject } from '../../kube/object.ts';
import { systemClock } from '../../lib/clock.ts';
import { generateKeyPair } from '../../lib/signature/keys.ts';
import { eventually } from '../world/eventually.ts';
import { resourceOf } from '../world/market.ts';
import { openTerminal, type Terminal } from './terminal.ts';

let at: Terminal;
beforeAll(async () => {
  at = await openTerminal('tables');
  await at.make('AgentPool', 'europe-proxmox', { provisionerType: 'proxmox' });
  await at.make('AgentPool', 'europe-hetzner', { provisionerType: 'hetzner' });
  const resources = { cpu: '4', memory: '16Gi', storage: '40Gi' };
  await at.make('Offering', 'vps-large', { provisionerType: 'proxmox', resources });
  await at.join('node-1', { cpu: '8', memory: '128Gi', storage: '1000Gi' });
  await at.join('node-2', { cpu: '32', memory: '128Gi', storage: '1000Gi' });
  await at.join('cloud-1', undefined, { poolName: 'europe-hetzner' });
});
afterAll(() => at.close());

/** Figures alone are written every ten seconds. */
const FIGURES_MS = 11_000;
const poolOf = (name: string) => at.read<AgentPool>('AgentPool', name);
const withoutLast = (row: string): string => row.replace(/ \| [^|]*$/, '');
const grantOf = async (agent: string, epoch: number) => ({
  ...{ agent, epoch },
  agentUID: (await at.agentOf(agent)).metadata.uid ?? '',
});
const condition = async (agent: string, wanted: string) =>
  (await at.agentOf(agent)).status?.conditions?.find(({ type }) => type === wanted);

test('kubectl get agents: pool, status, version, active, free, last seen', async () => {
  await at.rent('web-1');
  const grant = await grantOf('node-2', 1);
  const nowMs = at.clock.now().getTime();
  const [now, later] = [0, 300_000].map((ms) => new Date(nowMs + ms).toISOString());
  const lock = { ...grant, session: 's', acquiredAt: now, renewedAt: now, expiresAt: later };
  const place = { pool: 'europe-proxmox', agent: 'node-2' };
  await at.leave('web-1', { ...place, phase: 'Provisioning', epoch: 1, lock, holders: [grant] });
  await at.cordon('node-2', true);
  await at.pass(FIGURES_MS);
  const [header = '', ...rows] = await eventually(async () => {
    const table = await at.table('agents');
    expect(table.join('\n')).toContain('| 28 |');
    return table;
  });
  expect(header).toBe('NAME | POOL | STATUS | VERSION | ACTIVE | FREE CPU | FREE MEM | LAST SEEN | AGE');
  expect(rows.map((row) => withoutLast(withoutLast(row)))).toEqual([
    'cloud-1 | europe-hetzner | Ready | 1.0.0 | 0 | - | -',
    'node-1 | europe-proxmox | Ready | 1.0.0 | 0 | 8 | 128Gi',
    'node-2 | europe-proxmox | Cordoned | 1.0.0 | 1 | 28 | 112Gi',
  ]);
  expect((await at.agentOf('node-2')).status?.allocated).toEqual({
    ...{ cpu: '4', memory: '16Gi', storage: '40Gi', instances: 1 },
  });
});

test('kubectl get agentpools: region, type, agents, online, active, free, success of a day, ready', async () => {
  await at.rent('web-2');
  const now = at.clock.now().toISOString();
  const attempt = async (epoch: number, ended: object) => ({
    ...(await grantOf('node-2', epoch)),
    ...{ startedAt: now, endedAt: now, ...ended },
  });
  await at.leave('web-2', {
    attempts: [
      await attempt(1, { outcome: 'Failed', class: 'transient' }),
      await attempt(2, { outcome: 'Succeeded' }),
      await attempt(3, { outcome: 'Failed', class: 'capacity' }),
      await attempt(4, { outcome: 'Succeeded' }),
    ],
  });
  await at.pass(FIGURES_MS);
  await eventually(async () =>
    expect((await at.table('agentpools')).map(withoutLast)).toEqual([
      'NAME | REGION | TYPE | AGENTS | ONLINE | ACTIVE | WAITING | FREE CPU | FREE MEM | SUCCESS 24H | READY',
      'europe-hetzner | europe | hetzner | 1 | 1/1 | 0 | 0 | - | - | - | True',
      'europe-proxmox | europe | proxmox | 2 | 2/2 | 1 | 1 | 8 | 128Gi | 66.6% | True',
    ]),
  );
});

const RUN = [3, 4, 5].map((n) => `web-${n}`);

test('a run of failures is Healthy=False, says until when, and is over by itself', async () => {
  for (const name of RUN) {
    await at.rent(name, { tenant: { publicKey: generateKeyPair().publicKey } });
    const now = at.clock.now().toISOString();
    const ended = { startedAt: now, endedAt: now, outcome: 'Failed' };
    await at.leave(name, { attempts: [{ ...(await grantOf('node-1', 1)), ...ended }] });
  }
  await eventually(async () =>
    expect(await condition('node-1', 'Healthy')).toMatchObject({
      status: 'False',
      reason: 'BreakerOpen',
      message: expect.stringMatching(
        /^3 contracts in a row failed on it; it gets no new work until \d{4}-\d\d-\d\dT[0-9:.]+Z$/,
      ),
    }),
  );
  expect((await at.table('agents')).join('\n')).toContain('node-1 | europe-proxmox | Unhealthy |');
  const { items } = await at.client
    .resource<KubeObject & { reason?: string }>(EVENTS)
    .list({ namespace: at.namespace });
  expect(items.filter(({ reason }) => reason === 'BreakerOpen')).toHaveLength(1);
  // The other one is cordoned: what waits says why it does.
  await eventually(async () =>
    expect((await at.contractOf('web-2')).status?.scheduling?.counts).toContainEqual({
      ...{ reason: 'BreakerOpen', count: 1 },
    }),
  );
  await at.pass(15 * 60_000);
  await eventually(async () =>
    expect(await condition('node-1', 'Healthy')).toMatchObject({ status: 'True', reason: 'OnTrial' }),
  );
  expect(await condition('node-1', 'Ready')).toMatchObject({ status: 'True' });
});

test('what was tried counts though its contract is gone, also for a new operator, which writes nothing', async () => {
  for (const name of RUN)
    await resourceOf<Contract>(at.client, 'Contract').delete({ namespace: at.namespace, name });
  for (const name of RUN)
    await eventually(async () => expect(await at.contractOf(name).catch(() => 'gone')).toBe('gone'));
  await at.pass(FIGURES_MS);
  await systemClock.sleep(500);
  const objects = async () =>
    (await Promise.all([poolOf('europe-proxmox'), at.agentOf('node-1'), at.agentOf('node-2')])).map(
      ({ metadata, status }) => ({ version: metadata.resourceVersion, status }),
    );
  const before = await objects();
  // One of web-2, one of each in the run, and web-1, whose lock ran out meanwhile.
  expect((await poolOf('europe-proxmox')).status?.attempts24h).toEqual({ succeeded: 2, failed: 5 });
  expect((await at.agentOf('node-1')).status?.health?.failures).toHaveLength(3);
  await at.restart();
  await systemClock.sleep(1500);
  expect(await objects()).toEqual(before);
});

test('an agent that placement gives nothing to is not Ready, nor is its pool; its own word is an Event once', async () => {
  type AgentStatus = NonNullable<Agent['status']>;
  const agents = resourceOf<Agent>(at.client, 'Agent');
  const say = (change: (status: AgentStatus) => AgentStatus) =>
    eventually(async () => {
      const latest = await at.agentOf('cloud-1'); // the operator writes as well
      await agents.updateStatus({ ...latest, status: change(latest.status ?? {}) });
    });
  const isReady = async (row: string, pool: object) => {
    await eventually(async () => expect((await at.table('agents')).join('\n')).toContain(row));
    await eventually(async () => {
      const { conditions = [] } = (await poolOf('europe-hetzner')).status ?? {};
      expect(conditions.find(({ type }) => type === 'Ready')).toMatchObject(pool);
    });
  };
  const no = (why: string) => ({
    ...{ status: 'False', reason: 'NoAgentReady' },
    message: `No agent that is online takes new work: ${why}`,
  });

  await say((status) => ({ ...status, provisionerType: 'docker' }));
  await isReady('cloud-1 | europe-hetzner | AgentTypeMismatch |', no('AgentTypeMismatch'));
  const unhealthy = { reason: 'CannotList', message: 'no such file' };
  await say((status) => ({ ...status, provisionerType: 'hetzner', unhealthy }));
  await at.pass(FIGURES_MS);
  await isReady('cloud-1 | europe-hetzner | Unhealthy |', no('AgentUnhealthy'));
  expect(await condition('cloud-1', 'Healthy')).toMatchObject({ status: 'False', ...unhealthy });
  await say((status) => ({ ...status, unhealthy: { ...unhealthy, message: 'permission denied' } }));
  await eventually(async () =>
    expect((await condition('cloud-1', 'Ready'))?.message).toBe('permission denied'),
  );
  await say(({ unhealthy: _over, ...status }) => status);
  await isReady('cloud-1 | europe-hetzner | Ready |', { status: 'True' });
  const told = async () => {
    const { items } = await at.client
      .resource<KubeObject & { reason?: string }>(EVENTS)
      .list({ namespace: at.namespace });
    return items.filter(({ reason }) => reason === 'CannotList');
  };
  await eventually(async () => expect(await told()).toHaveLength(1));
});
