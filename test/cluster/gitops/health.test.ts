/**
 * What GitOps tools make of real objects that a real operator brought into each state: kstatus (Flux, kpt), the
 * scripts for Argo CD, and `kubectl wait`.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Agent } from '../../../crds/agent.ts';
import type { AgentPool } from '../../../crds/agent-pool.ts';
import type { Contract } from '../../../crds/contract/contract.ts';
import { LABEL } from '../../../crds/group.ts';
import { type KStatus, kstatusOf } from '../../../crds/kstatus.ts';
import type { Offering } from '../../../crds/offering.ts';
import type { Provider } from '../../../crds/provider.ts';
import { eventually } from '../../world/eventually.ts';
import { type Health, startArgoCd } from './argo.ts';
import { becomeActive, openStage, type Stage } from './stage.ts';

const argo = startArgoCd();
let stage: Stage;
beforeAll(async () => {
  stage = await openStage('health');
  await stage.make<Provider>('Provider', stage.namespace);
});
afterAll(() => stage.close());

type Want = Readonly<{ ready?: string; kstatus: KStatus; argo: Health['status'] }>;

async function read(kind: string, name: string) {
  const { stdout } = await stage.kubectl(['get', kind, name, '-n', stage.namespace, '-o', 'json']);
  return JSON.parse(stdout);
}

/** `ready`: reason of condition Ready, so that nothing is judged before the operator has come to it. */
const expectHealth = (kind: string, name: string, { ready, ...want }: Want) =>
  eventually(async () => {
    const object = await read(kind, name);
    const condition = object.status?.conditions?.find(({ type }: { type: string }) => type === 'Ready');
    expect({ ready: condition?.reason, kstatus: kstatusOf(object) }).toMatchObject({
      ...(ready === undefined ? {} : { ready }),
      kstatus: want.kstatus,
    });
    expect((await argo.healthOf(object)).status).toBe(want.argo);
  });

const waitFor = async (kind: string, name: string, condition = 'Ready'): Promise<string> => {
  const args = ['wait', `${kind}/${name}`, '-n', stage.namespace, `--for=condition=${condition}`];
  const { stdout, stderr } = await stage.kubectl([...args, '--timeout=20s']);
  return stdout + stderr;
};
const patch = (kind: string, name: string, spec: object) =>
  stage.kubectl(['patch', kind, name, '-n', stage.namespace, '--type=merge', '-p', JSON.stringify({ spec })]);

/** Its heartbeat, as the facade writes it. */
async function beat(agent: Agent): Promise<void> {
  const { name, namespace, uid = '' } = agent.metadata;
  await stage.clients.leases.create({
    metadata: { name, ...(namespace ? { namespace } : {}), labels: { [LABEL.agent]: uid } },
    spec: {
      holderIdentity: 'test',
      leaseDurationSeconds: 45,
      renewTime: new Date().toISOString().replace('Z', '000Z'),
    },
  });
}

describe('a provider', () => {
  test('that may sell', async () => {
    const name = stage.namespace;
    await expectHealth('Provider', name, { ready: 'Ready', kstatus: 'Current', argo: 'Healthy' });
    expect(await waitFor('Provider', name)).toContain('condition met');
  });
  test('whose namespace is taken fails, and recovers', async () => {
    const name = `${stage.namespace}-rival`;
    await stage.make<Provider>('Provider', name);
    await expectHealth('Provider', name, { ready: 'NamespaceTaken', kstatus: 'Failed', argo: 'Degraded' });
    expect(await waitFor('Provider', name, 'Stalled')).toContain('condition met');
    await stage.kubectl(['delete', 'provider', name]);
  });
});

describe('a pool and its agent', () => {
  test('no agents, an agent that never ran, online, paused, deleted', async () => {
    await stage.make<AgentPool>('AgentPool', 'p');
    await expectHealth('AgentPool', 'p', { ready: 'NoAgents', kstatus: 'InProgress', argo: 'Progressing' });
    const agent = await stage.make<Agent>('Agent', 'a', { poolName: 'p' });
    await expectHealth('Agent', 'a', { ready: 'Offline', kstatus: 'InProgress', argo: 'Degraded' });
    await beat(agent);
    await expectHealth('Agent', 'a', { ready: 'Ready', kstatus: 'Current', argo: 'Healthy' });
    expect(await waitFor('Agent', 'a')).toContain('condition met');
    await expectHealth('AgentPool', 'p', { ready: 'Ready', kstatus: 'Current', argo: 'Healthy' });
    expect(await waitFor('AgentPool', 'p')).toContain('condition met');
    await patch('agent', 'a', { cordoned: true });
    await expectHealth('Agent', 'a', { ready: 'Cordoned', kstatus: 'InProgress', argo: 'Suspended' });
    await patch('agent', 'a', { cordoned: false });
    await patch('agentpool', 'p', { paused: true });
    await expectHealth('AgentPool', 'p', { ready: 'Paused', kstatus: 'InProgress', argo: 'Suspended' });
    await patch('agentpool', 'p', { paused: false });
    await stage.kubectl(['delete', 'agentpool', 'p', '-n', stage.namespace, '--wait=false']);
    await eventually(async () => expect(kstatusOf(await read('AgentPool', 'p'))).toBe('Terminating'));
  });
  test('an agent without a pool, and a revoked one', async () => {
    await stage.make<Agent>('Agent', 'lost', { poolName: 'nowhere' });
    await expectHealth('Agent', 'lost', {
      ready: 'PoolNotFound',
      kstatus: 'InProgress',
      argo: 'Progressing',
    });
    await patch('agent', 'lost', { revoked: true });
    await expectHealth('Agent', 'lost', { ready: 'Revoked', kstatus: 'InProgress', argo: 'Suspended' });
  });
});

test('an offering: no pool, a pool, another pool, no recipe, a recipe', async () => {
  await stage.make<Offering>('Offering', 'o', { country: 'JP' });
  await expectHealth('Offering', 'o', { ready: 'NoPool', kstatus: 'InProgress', argo: 'Progressing' });
  await stage.make<AgentPool>('AgentPool', 'japan', { location: 'apac' });
  await expectHealth('Offering', 'o', { ready: 'PoolResolved', kstatus: 'Current', argo: 'Healthy' });
  expect(await waitFor('Offering', 'o')).toContain('condition met');
  await patch('offering', 'o', { poolName: 'nowhere' });
  await expectHealth('Offering', 'o', { ready: 'PoolNotFound', kstatus: 'InProgress', argo: 'Progressing' });
  await patch('offering', 'o', { poolName: null, recipe: { name: 'hello' } });
  await expectHealth('Offering', 'o', {
    ready: 'RecipeNotFound',
    kstatus: 'InProgress',
    argo: 'Progressing',
  });
  await stage.make('Recipe', 'hello');
  await expectHealth('Offering', 'o', { ready: 'PoolResolved', kstatus: 'Current', argo: 'Healthy' });
});

test('a recipe and a setup token are what they are', async () => {
  await stage.make('Recipe', 'r');
  await expectHealth('Recipe', 'r', { kstatus: 'Current', argo: 'Healthy' });
  await stage.make('SetupToken', 't');
  await expectHealth('SetupToken', 't', { kstatus: 'Current', argo: 'Healthy' });
});

describe('a contract', () => {
  const waiting = async (name: string) => {
    await stage.make<AgentPool>('AgentPool', 'africa', { location: 'ssa' }).catch(() => undefined);
    await stage.make<Offering>('Offering', 'africa', { country: 'KE' }).catch(() => undefined);
    await stage.make<Contract>('Contract', name, { offering: { name: 'africa' } });
    await expectHealth('Contract', name, { kstatus: 'InProgress', argo: 'Progressing' });
    return eventually(async () => {
      const found = await stage.clients.contracts.get({ namespace: stage.namespace, name });
      if (found?.status?.phase !== 'Accepted') throw new Error(`${name} is ${found?.status?.phase}`);
      return found;
    });
  };
  test('that waits for its offering', async () => {
    await stage.make<Contract>('Contract', 'early', { offering: { name: 'later' } });
    await expectHealth('Contract', 'early', {
      ready: 'OfferingNotFound',
      kstatus: 'InProgress',
      argo: 'Progressing',
    });
  });
  test('that was cancelled in Git: failed for kstatus, as wished for Argo CD', async () => {
    await waiting('cancelled');
    await patch('contract', 'cancelled', { cancel: { requested: true } });
    await expectHealth('Contract', 'cancelled', { kstatus: 'Failed', argo: 'Healthy' });
    expect(await waitFor('Contract', 'cancelled', 'Stalled')).toContain('condition met');
  });
  test('that is refused', async () => {
    await stage.make<Offering>('Offering', 'private', { visibility: 'Private' });
    await stage.make<Contract>('Contract', 'refused', { offering: { name: 'private' } });
    await expectHealth('Contract', 'refused', {
      ready: 'OfferingPrivate',
      kstatus: 'Failed',
      argo: 'Degraded',
    });
  });
  test('that is Active, and then deleted', async () => {
    await waiting('active');
    await becomeActive(stage, 'active');
    await expectHealth('Contract', 'active', { kstatus: 'Current', argo: 'Healthy' });
    expect(await waitFor('Contract', 'active')).toContain('condition met');
    await stage.kubectl(['delete', 'contract', 'active', '-n', stage.namespace, '--wait=false']);
    await eventually(async () => {
      const object = await read('Contract', 'active');
      expect(kstatusOf(object)).toBe('Terminating');
      expect(object.status.phase).toBe('Terminating');
    });
  });
});
