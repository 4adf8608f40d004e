import { describe, expect, test } from 'vitest';
import type { Agent } from '../crds/agent.ts';
import { withCondition } from '../crds/condition.ts';
import { anAgent, anOffering, aPool } from '../crds/contract/builders.ts';
import { API_VERSION } from '../crds/group.ts';
import type { Offering } from '../crds/offering.ts';
import { NO_LOAD } from '../crds/placement/load.ts';
import { preparePool } from '../crds/placement/supply.ts';
import type { Provider } from '../crds/provider.ts';
import { decidePool } from './agent-pool/decide.ts';
import { decideOffering } from './offering/decide.ts';
import { decideProvider } from './provider/decide.ts';
import { decideToken } from './setup-token/decide.ts';

const now = new Date('2026-01-10T00:00:00.000Z');
const NO_WORK = { agents: [], rateOf: () => ({ succeeded: 0, failed: 0, untilMs: undefined }) };
const ready = (status: {
  conditions?: { type: string; status: string; reason: string; message: string }[] | undefined;
}) => status.conditions?.find((condition) => condition.type === 'Ready');

describe('a pool', () => {
  const online = (n: number, spec: Partial<Agent['spec']> = {}, said: Agent['status'] = {}): Agent => {
    const next = { type: 'Online', status: 'True', reason: 'Ok', message: '' } as const;
    return { ...anAgent(n, spec), status: { ...said, conditions: withCondition(undefined, { next, now }) } };
  };
  const prepared = (agents: readonly Agent[]) => {
    const facts = agents.map((agent) => ({ agent, presence: 'Online', load: NO_LOAD }) as const);
    return { ...NO_WORK, agents: preparePool(aPool(), facts).agents };
  };
  const facts = {
    pool: aPool(),
    agents: [],
    activeContracts: 0,
    waitingContracts: 0,
    work: NO_WORK,
    sinceLastWriteMs: Infinity,
    now,
  };

  test('counts agents that are not revoked, and says which of them are online', () =>
    expect(
      decidePool({
        ...facts,
        agents: [online(1), anAgent(2), anAgent(3, { revoked: true })],
        activeContracts: 4,
      }).status,
    ).toMatchObject({
      agents: 2,
      online: 1,
      onlineText: '1/2',
      activeContracts: 4,
      conditions: [{ type: 'Ready', status: 'True' }],
    }));
  const window = { startsAt: '2026-01-10T00:10:00Z', endsAt: '2026-01-10T01:00:00Z', quietMinutes: 15 };
  const cases = [
    { name: 'NoAgents', change: {} },
    { name: 'NoAgentOnline', change: { agents: [anAgent(1)] } },
    { name: 'Maintenance', change: { pool: aPool('p', { maintenance: [window] }), agents: [online(1)] } },
    {
      name: 'NoAgentReady',
      change: {
        agents: [online(1, {}, { provisionerType: 'docker' }), online(2, { permissions: ['heartbeat'] })],
      },
    },
    { name: 'Paused', change: { pool: aPool('p', { paused: true }), agents: [online(1)] } },
  ];
  for (const { name, change } of cases)
    test(`is not ready: ${name}`, () =>
      expect(
        ready(decidePool({ ...facts, ...change, work: prepared(change.agents ?? []) }).status),
      ).toMatchObject({ status: 'False', reason: name }));
  test('does not count those among its agents to whom placement gives nothing', () => {
    const agents = [online(1), online(2, {}, { provisionerType: 'docker' }), online(3, { cordoned: true })];
    expect(ready(decidePool({ ...facts, agents, work: prepared(agents) }).status)).toMatchObject({
      status: 'True',
      message: '3 of 3 agents online, without new work for 2 of them: AgentCordoned, AgentTypeMismatch',
    });
  });
});

test('a pool with maintenance to come is ready, says when, and is looked at then', () => {
  const window = { startsAt: '2026-01-10T01:00:00Z', endsAt: '2026-01-10T02:00:00Z', quietMinutes: 15 };
  const counts = {
    agents: [],
    activeContracts: 0,
    waitingContracts: 0,
    work: NO_WORK,
    sinceLastWriteMs: Infinity,
  };
  const planned = decidePool({ ...counts, pool: aPool('p', { maintenance: [window] }), now });
  expect(planned.requeueAfterMs).toBe(45 * 60_000);
  expect(planned.status.conditions?.[0]).toMatchObject({
    type: 'InService',
    status: 'True',
    message: 'Maintenance from 2026-01-10T01:00:00Z until 2026-01-10T02:00:00Z',
  });
  const over = decidePool({ ...counts, pool: { ...aPool('p'), status: planned.status }, now });
  expect(over.status.conditions?.map(({ type }) => type)).toEqual(['Ready']);
});

test('a pool that names fallbacks says of each when it is asked, and so much at the next count at the latest', () => {
  const counts = { agents: [], activeContracts: 0, waitingContracts: 0, work: NO_WORK, now };
  const fallbackPools = ['b', 'gone'].map((name) => ({ name, afterSeconds: 60 }));
  const pool = aPool('a', { fallbackPools });
  const around = (...pools: ReturnType<typeof aPool>[]) => ({
    neighbours: { pools: [pool, ...pools], offerings: [] },
  });
  const of = (more: Partial<Parameters<typeof decidePool>[0]>) =>
    decidePool({ ...counts, pool, sinceLastWriteMs: Infinity, ...more });
  const said = ({ conditions }: ReturnType<typeof of>['status']) =>
    conditions?.find(({ type }) => type === 'FallbacksUsable');
  const bad = of(around(aPool('b')));
  expect(said(bad.status)).toMatchObject({
    status: 'False',
    reason: 'NeverAsked',
    message: 'b is asked after 60 s; gone is never asked: there is no such pool',
  });
  const told = { ...pool, status: bad.status };
  expect(of({ pool: told, ...around(aPool('b')) }).status).toEqual(bad.status); // nothing to write
  expect(of({ pool: told, ...around(aPool('b')), sinceLastWriteMs: 1 }).requeueAfterMs).toBeUndefined();
  const mended = { pool: told, ...around(aPool('b'), aPool('gone')) };
  expect(of({ ...mended, sinceLastWriteMs: 4_000 }).requeueAfterMs).toBe(6_000);
  expect(said(of(mended).status)).toMatchObject({ status: 'True', reason: 'Asked' });
  expect(said(of({ pool: { ...aPool('a'), status: bad.status } }).status)).toBeUndefined();
});

describe('an offering', () => {
  const pools = [
    aPool('b'),
    aPool('a'),
    aPool('first', { priority: 5 }),
    aPool('us', { location: 'na' }),
    aPool('px', { provisionerType: 'proxmox' }),
  ];
  const facts = { pools, hasRecipe: true, activeContracts: 0, now };
  const of = (spec: Partial<Offering['spec']>, more: Partial<typeof facts> = {}) =>
    decideOffering({ offering: anOffering(spec), ...facts, ...more });

  test('routes by country and type, highest priority first', () =>
    expect(of({})).toMatchObject({ region: 'europe', pools: ['first', 'a', 'b'] }));
  test('an explicit pool wins', () => expect(of({ poolName: 'us' })).toMatchObject({ pools: ['us'] }));
  test('an explicit pool of another type is no pool', () =>
    expect(ready(of({ poolName: 'px' }))).toMatchObject({ status: 'False', reason: 'PoolNotFound' }));
  test('a recipe that is not there yet', () =>
    expect(ready(of({ recipe: { name: 'motd' } }, { hasRecipe: false }))).toMatchObject({
      status: 'False',
      reason: 'RecipeNotFound',
    }));
  test('a schema for instanceConfig that cannot be used', () =>
    expect(ready(of({ instanceConfigSchema: { $ref: 'https://elsewhere' } }))).toMatchObject({
      status: 'False',
      reason: 'ConfigSchemaInvalid',
      message: expect.stringContaining('instanceConfigSchema refers at /$ref to what is not in it'),
    }));
  test('no pool there', () =>
    expect(ready(of({ country: 'JP' }))).toMatchObject({ status: 'False', reason: 'NoPool' }));

  test('further regions and types lead to a pool as well, after those of the same priority that are better', () => {
    const wide = { regions: ['na'], provisionerTypes: ['proxmox'] } as const;
    expect(of({ country: 'JP', regions: ['na'] })).toMatchObject({ pools: ['us'] });
    expect(ready(of({ country: 'JP', regions: ['na'] }))).toMatchObject({ status: 'True' });
    expect(of({ regions: [...wide.regions], provisionerTypes: [...wide.provisionerTypes] })).toMatchObject({
      pools: ['first', 'a', 'b', 'px', 'us'],
    });
    expect(of({ poolName: 'px', provisionerTypes: ['proxmox'] })).toMatchObject({ pools: ['px'] });
  });

  test.each([
    [{}, 'JP is in Asia Pacific; no pool there is of type script'],
    [
      { regions: ['latam'] as const, provisionerTypes: ['docker'] as const },
      'JP is in Asia Pacific, it may be built in Latin America as well; no pool there is of type script or docker',
    ],
    [
      { poolName: 'px', provisionerTypes: ['docker'] as const },
      'There is no pool px of type script or docker in this namespace',
    ],
  ])('where no pool is, all that was looked for is said: %o', (spec, message) =>
    expect(ready(of({ country: 'JP', ...structuredClone(spec) } as Partial<Offering['spec']>))?.message).toBe(
      message,
    ),
  );
});

describe('a provider', () => {
  const provider = (name: string, created: string, spec: Partial<Provider['spec']> = {}): Provider => ({
    apiVersion: API_VERSION,
    kind: 'Provider',
    metadata: { name, creationTimestamp: created },
    spec: {
      publicKey: name.repeat(64).slice(0, 64),
      displayName: name,
      namespace: 'acme',
      acceptance: { mode: 'Automatic' },
      ...spec,
    },
  });
  const [old, young] = [provider('a', '2026-01-01T00:00:00Z'), provider('b', '2026-01-02T00:00:00Z')];
  test('the later one of two in a namespace may do nothing, the older one is not bothered', () => {
    expect(ready(decideProvider({ provider: young, rivals: [old], now }))).toMatchObject({
      status: 'False',
      reason: 'NamespaceTaken',
    });
    expect(ready(decideProvider({ provider: old, rivals: [young], now }))).toMatchObject({ status: 'True' });
  });
  test('the same with one key', () => {
    const other = provider('c', '2026-01-02T00:00:00Z', {
      namespace: 'other',
      publicKey: old.spec.publicKey,
    });
    expect(ready(decideProvider({ provider: other, rivals: [old], now }))).toMatchObject({
      reason: 'NamespaceTaken',
    });
  });
  test('made in the same second: the name decides, for both alike', () => {
    const twin = provider('z', '2026-01-01T00:00:00Z');
    expect(ready(decideProvider({ provider: twin, rivals: [old], now }))).toMatchObject({ status: 'False' });
    expect(ready(decideProvider({ provider: old, rivals: [twin], now }))).toMatchObject({ status: 'True' });
  });
});

describe('a setup token', () => {
  const token = (expiresAt: string, usedAt?: string) => ({
    apiVersion: API_VERSION,
    kind: 'SetupToken' as const,
    metadata: { name: 't' },
    spec: { poolName: 'p', secretSHA256: 'a'.repeat(64), prefix: 'apt_', expiresAt },
    ...(usedAt ? { status: { usedAt } } : {}),
  });
  test('goes 7 days after expiry', () => {
    expect(decideToken(token('2026-01-02T23:59:59.000Z'), now)).toEqual({ outcome: 'Delete' });
    expect(decideToken(token('2026-01-03T00:00:01.000Z'), now)).toEqual({
      outcome: 'Keep',
      requeueAfterMs: 1000,
    });
  });
  test('goes 7 days after use, when that is earlier', () =>
    expect(decideToken(token('2026-01-09T00:00:00.000Z', '2026-01-02T00:00:00.000Z'), now)).toEqual({
      outcome: 'Delete',
    }));
});
