/** What is in use and is deleted waits, says for what, and goes when it is free: by the operator, with kubectl. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Agent } from '../../../crds/agent.ts';
import type { AgentPool } from '../../../crds/agent-pool.ts';
import type { Contract } from '../../../crds/contract/contract.ts';
import { IN_USE_FINALIZER } from '../../../crds/group.ts';
import type { Offering } from '../../../crds/offering.ts';
import type { Provider } from '../../../crds/provider.ts';
import { eventually } from '../../world/eventually.ts';
import { conditionOf, openStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage('deletion');
  await stage.make<Provider>('Provider', stage.namespace);
});
afterAll(() => stage.close());

const kept = async (
  get: () => Promise<{ metadata: { finalizers?: readonly string[] | undefined } } | undefined>,
) => eventually(async () => expect((await get())?.metadata.finalizers).toEqual([IN_USE_FINALIZER]));
const pool = (name: string) => stage.clients.pools.get({ namespace: stage.namespace, name });
const offering = (name: string) => stage.clients.offerings.get({ namespace: stage.namespace, name });
const contract = (name: string) => stage.clients.contracts.get({ namespace: stage.namespace, name });
const inPhase = (name: string, phase: string) =>
  eventually(async () => expect((await contract(name))?.status).toMatchObject({ phase }));
const remove = (kind: string, name: string) =>
  stage.kubectl(['delete', kind, name, '-n', stage.namespace, '--wait=false']);
const message = async (get: () => Promise<AgentPool | Offering | Provider | undefined>) =>
  conditionOf(await get(), 'Terminating')?.message;
const isGone = (get: () => Promise<unknown>) =>
  eventually(async () => expect(await get()).toBeUndefined(), { withinMs: 30_000 });
const cancel = (name: string) =>
  stage.clients.contracts.patch(
    { namespace: stage.namespace, name },
    { type: 'Merge', body: { spec: { cancel: { requested: true } } } },
  );

test('a pool that nobody uses goes at once', async () => {
  await stage.make<AgentPool>('AgentPool', 'free');
  await kept(() => pool('free'));
  expect((await remove('agentpool', 'free')).code).toBe(0);
  await isGone(() => pool('free'));
});

test('a pool waits for its agents, for offerings that name it and for what only it could build', async () => {
  const region = { location: 'ssa', provisionerType: 'script' };
  const made = await stage.make<AgentPool>('AgentPool', 'used', region);
  const agent = await stage.make<Agent>('Agent', 'node-used', { poolName: 'used' });
  await stage.make<Offering>('Offering', 'names-it', { poolName: 'used', country: 'KE' });
  await stage.make<Contract>('Contract', 'waits-for-it', { offering: { name: 'names-it' } });
  await inPhase('waits-for-it', 'Accepted');
  await kept(() => pool('used'));

  await remove('agentpool', 'used');
  await eventually(async () =>
    expect(await message(() => pool('used'))).toBe(
      'It was deleted and is used by 1 agent (node-used), 1 offering (names-it) and 1 contract (waits-for-it). ' +
        'Revoke its agents, point its offerings elsewhere and cancel its contracts or let them end.',
    ),
  );
  expect(conditionOf(await pool('used'), 'Terminating')).toMatchObject({ status: 'True', reason: 'InUse' });
  expect(conditionOf(await pool('used'), 'Ready')).toMatchObject({ status: 'False', reason: 'Terminating' });
  const { stdout } = await stage.kubectl(['describe', 'agentpool', 'used', '-n', stage.namespace]);
  expect(stdout).toContain('1 offering (names-it)');

  // The offering loses its pool only for what is rented from now on: its contract keeps the terms.
  await stage.clients.offerings.patch(
    { namespace: stage.namespace, name: 'names-it' },
    { type: 'Merge', body: { spec: { poolName: null, country: 'DE' } } },
  );
  await eventually(
    async () =>
      expect(await message(() => pool('used'))).toMatch(
        /1 agent \(node-used\) and 1 contract \(waits-for-it\)/,
      ),
    { withinMs: 30_000 },
  );
  expect((await contract('waits-for-it'))?.spec.termsSnapshot).toMatchObject({ poolName: 'used' });

  await stage.clients.agents.patch(agent.metadata, { type: 'Merge', body: { spec: { revoked: true } } });
  await cancel('waits-for-it');
  await isGone(() => pool('used'));
  expect(made.metadata.finalizers).toBeUndefined(); // the operator put it on, nobody else
});

test('a machine holds its pool, although its agent was revoked and its offering changed', async () => {
  await stage.make<AgentPool>('AgentPool', 'holds', { location: 'mena' });
  await stage.make<Offering>('Offering', 'machine', { country: 'AE' });
  const made = await stage.make<Contract>('Contract', 'machine-1', { offering: { name: 'machine' } });
  await inPhase('machine-1', 'Accepted');
  const agent = await stage.make<Agent>('Agent', 'node-holds', { poolName: 'holds' });
  const held = { agent: agent.metadata.name, agentUID: agent.metadata.uid ?? '', epoch: 1 };
  const at = new Date().toISOString();
  const lock = { ...held, session: 'session-1', acquiredAt: at, renewedAt: at, expiresAt: at };
  await eventually(async () => {
    const accepted = await contract('machine-1');
    if (!accepted?.status) throw new Error('it is there');
    await stage.clients.contracts.updateStatus({
      ...accepted,
      status: {
        ...accepted.status,
        phase: 'Provisioning',
        epoch: 1,
        lock,
        holders: [held],
        pool: 'holds',
        agent: agent.metadata.name,
      },
    });
  });
  await stage.clients.agents.patch(agent.metadata, { type: 'Merge', body: { spec: { revoked: true } } });
  await kept(() => pool('holds'));
  await remove('agentpool', 'holds');
  await eventually(async () =>
    expect(await message(() => pool('holds'))).toMatch(/is used by 1 contract \(machine-1\)/),
  );
  // Its holder confirms, it ends, the pool is free.
  await cancel('machine-1');
  await inPhase('machine-1', 'Terminating');
  await eventually(async () => {
    const ending = await contract('machine-1');
    if (!ending?.status) throw new Error('it is there');
    await stage.clients.contracts.updateStatus({ ...ending, status: { ...ending.status, holders: [] } });
  });
  await inPhase('machine-1', 'Cancelled');
  await isGone(() => pool('holds'));
  expect(made.metadata.uid).toBe((await contract('machine-1'))?.metadata.uid);
});

test('an offering waits for its contracts, is not rented any more, and they keep their terms', async () => {
  await stage.make<AgentPool>('AgentPool', 'europe-script');
  await stage.make<Offering>('Offering', 'sold');
  await stage.make<Contract>('Contract', 'bought', { offering: { name: 'sold' } });
  await inPhase('bought', 'Accepted');
  await kept(() => offering('sold'));
  await remove('offering', 'sold');
  await eventually(async () =>
    expect(await message(() => offering('sold'))).toBe(
      'It was deleted and is used by 1 contract (bought). Cancel its contracts or let them end.',
    ),
  );
  await stage.make<Contract>('Contract', 'too-late', { offering: { name: 'sold' } });
  await inPhase('too-late', 'Requested');
  expect((await contract('too-late'))?.status?.message).toBe(
    'Offering sold was deleted, and waits for its contracts',
  );
  expect((await contract('bought'))?.status?.phase).toBe('Accepted');
  await cancel('bought');
  await isGone(() => offering('sold'));
  // Somebody sells it again: who asked too late gets it, on the new terms.
  await stage.make<Offering>('Offering', 'sold', { title: 'Sold again' });
  await inPhase('too-late', 'Accepted');
  expect((await contract('too-late'))?.spec.termsSnapshot?.title).toBe('Sold again');
  await cancel('too-late');
});

test('a provider waits until nothing of it is left, and may act until then; a rival goes at once', async () => {
  const name = stage.namespace;
  const provider = (which: string) => stage.clients.providers.get({ name: which });
  await stage.make<Provider>('Provider', `${name}-rival`);
  await kept(() => provider(`${name}-rival`));
  await stage.kubectl(['delete', 'provider', `${name}-rival`, '--wait=false']);
  await isGone(() => provider(`${name}-rival`));

  await stage.kubectl(['delete', 'provider', name, '--wait=false']);
  await eventually(async () =>
    expect(await message(() => provider(name))).toMatch(
      /is used by 1 pool \(europe-script\) and 3 offerings/,
    ),
  );
  expect(conditionOf(await provider(name), 'Ready')?.status).toBe('True');
  await stage.kubectl(['delete', 'contracts,offerings,agentpools', '--all', '-n', name, '--wait=false']);
  await isGone(() => provider(name));
});
