import { describe, expect, test } from 'vitest';
import { NO_LOAD } from '../placement/load.ts';
import { prepareSupply } from '../placement/supply.ts';
import { aContract, anAgent, aPool, at, someTerms, uidOf } from './builders.ts';
import { demandKeys, eligibility, lookupKeys, poolServes, supplyKeys } from './eligibility.ts';

const expired = {
  epoch: 1,
  attempts: [
    {
      agent: 'agent-2',
      agentUID: uidOf(2),
      epoch: 1,
      startedAt: at(0).toISOString(),
      endedAt: at(0).toISOString(),
      outcome: 'Expired' as const,
    },
  ],
};
type Asked = Readonly<{
  contract?: ReturnType<typeof aContract>;
  agent?: ReturnType<typeof anAgent>;
  pool?: ReturnType<typeof aPool>;
  /** Other agents of the pool that are online. */
  others?: readonly number[];
  presence?: 'Online' | 'Offline';
  seconds?: number;
}>;

/** What `agent` is answered. */
const asked = (change: Asked = {}) => {
  const { contract = aContract(), pool = aPool(), presence = 'Online', seconds = 10 } = change;
  const { agent = anAgent(1), others = [] } = change;
  const poolName = pool.metadata.name;
  const all = [agent, ...others.map((n) => anAgent(n))].map((it, at) => ({
    agent: { ...it, spec: { ...it.spec, poolName } },
    presence: at === 0 ? presence : ('Online' as const),
    load: NO_LOAD,
  }));
  const supply = prepareSupply({ pools: [pool], agents: all });
  return eligibility(contract, { agentUID: agent.metadata.uid ?? '', supply, now: at(seconds) });
};
const ask = (change: Asked = {}): string => {
  const verdict = asked(change);
  return verdict.eligible ? 'Eligible' : verdict.reason;
};

const cases: { name: string; given: Asked; want: string }[] = [
  { name: 'a waiting contract of its pool', given: {}, want: 'Eligible' },
  { name: 'a contract that does not wait', given: { contract: aContract('Active') }, want: 'NotWaiting' },
  {
    name: 'one that is being cancelled',
    given: { contract: aContract('Accepted', {}, { spec: { cancel: { requested: true } } }) },
    want: 'NotWaiting',
  },
  {
    // Found by test/explorer: before the operator looked, a fourth try was granted.
    name: 'one whose three tries failed, although nobody has ended it yet',
    given: { contract: aContract('Accepted', { failures: 3 }) },
    want: 'NotWaiting',
  },
  {
    name: 'one for which there was no room ten times',
    given: { contract: aContract('Accepted', { capacityReleases: 10 }) },
    want: 'NotWaiting',
  },
  { name: 'a revoked agent', given: { agent: anAgent(1, { revoked: true }) }, want: 'AgentRevoked' },
  { name: 'a cordoned agent', given: { agent: anAgent(1, { cordoned: true }) }, want: 'AgentCordoned' },
  { name: 'a draining agent', given: { agent: anAgent(1, { draining: true }) }, want: 'AgentDraining' },
  {
    name: 'an agent without the permission',
    given: { agent: anAgent(1, { permissions: ['heartbeat'] }) },
    want: 'MissingPermission',
  },
  { name: 'a pool of another region', given: { pool: aPool('us', { location: 'na' }) }, want: 'WrongRegion' },
  {
    name: 'a pool of another type',
    given: { pool: aPool('px', { provisionerType: 'proxmox' }) },
    want: 'WrongType',
  },
  {
    name: 'a pool that is not the explicit one',
    given: {
      contract: aContract('Accepted', {}, { spec: { termsSnapshot: someTerms({ poolName: 'other' }) } }),
    },
    want: 'NotTheChosenPool',
  },
  {
    name: 'the explicit pool, in another region',
    given: {
      contract: aContract('Accepted', {}, { spec: { termsSnapshot: someTerms({ poolName: 'us' }) } }),
      pool: aPool('us', { location: 'na' }),
    },
    want: 'Eligible',
  },
  {
    name: 'a pool of another namespace',
    given: { contract: aContract('Accepted', {}, { metadata: { namespace: 'other' } }) },
    want: 'PoolNotFound',
  },
  { name: 'a paused pool', given: { pool: aPool('p', { paused: true }) }, want: 'PoolPaused' },
  {
    name: 'before the next attempt',
    given: { contract: aContract('Accepted', { nextAttemptAt: at(11).toISOString() }) },
    want: 'Backoff',
  },
  {
    name: 'when the next attempt is due',
    given: { contract: aContract('Accepted', { nextAttemptAt: at(10).toISOString() }) },
    want: 'Eligible',
  },
  {
    name: 'one whose terms are not written yet',
    given: { contract: aContract('Accepted', {}, { spec: { termsSnapshot: undefined } }) },
    want: 'NotWaiting',
  },
  { name: 'an agent that is offline', given: { presence: 'Offline' }, want: 'AgentOffline' },
  {
    name: 'a further region and type that the terms allow',
    given: {
      contract: aContract(
        'Accepted',
        {},
        { spec: { termsSnapshot: someTerms({ regions: ['na'], provisionerTypes: ['proxmox'] }) } },
      ),
      pool: aPool('us', { location: 'na', provisionerType: 'proxmox' }),
    },
    want: 'Eligible',
  },
  {
    name: 'after an expiry: the one that held goes first',
    given: { contract: aContract('Accepted', expired), others: [2] },
    want: 'AwaitsTurn',
  },
  {
    name: 'after an expiry: it is the one that held',
    given: { contract: aContract('Accepted', expired), agent: anAgent(2), others: [1] },
    want: 'Eligible',
  },
  {
    name: 'after an expiry: it is the one that held, and takes no new work since',
    given: {
      contract: aContract('Accepted', expired),
      agent: anAgent(2, { cordoned: true }),
      pool: aPool('full', { paused: true, placement: { strategy: 'Spread', instancesPerAgent: 1 } }),
    },
    want: 'Eligible',
  },
  {
    name: 'after an expiry: it is the one that held, and was revoked since',
    given: { contract: aContract('Accepted', expired), agent: anAgent(2, { revoked: true }) },
    want: 'AgentRevoked',
  },
  {
    name: 'after an expiry: the one that held is silent',
    given: { contract: aContract('Accepted', expired) },
    want: 'Eligible',
  },
  {
    name: 'after an expiry: its head start is over',
    given: { contract: aContract('Accepted', expired), others: [2], seconds: 36 },
    want: 'Eligible',
  },
  {
    name: 'after an expiry and a later grant nobody goes first',
    given: { contract: aContract('Accepted', { ...expired, epoch: 3 }), others: [2] },
    want: 'Eligible',
  },
];
describe('may it claim', () => {
  for (const { name, given, want } of cases) test(name, () => expect(ask(given)).toBe(want));

  test('what waits and who could build it meet under one key', () => {
    expect(supplyKeys(aPool())).toEqual(expect.arrayContaining(demandKeys(aContract())));
    const explicit = aContract(
      'Accepted',
      {},
      { spec: { termsSnapshot: someTerms({ poolName: 'europe-script' }) } },
    );
    expect(supplyKeys(aPool())).toEqual(expect.arrayContaining(demandKeys(explicit)));
    expect(
      supplyKeys(aPool('us', { location: 'na' })).filter((key) => demandKeys(aContract()).includes(key)),
    ).toEqual([]);
  });

  test('what may be built in several regions and ways is met under each of them, a fallback under that of its pool', () => {
    const wide = someTerms({ regions: ['na'], provisionerTypes: ['proxmox'] });
    const contract = aContract('Accepted', {}, { spec: { termsSnapshot: wide } });
    const far = aPool('us', { location: 'na', provisionerType: 'proxmox' });
    expect(demandKeys(contract)).toHaveLength(4);
    expect(supplyKeys(far).some((key) => demandKeys(contract).includes(key))).toBe(true);
    expect(poolServes(wide, far)).toBe(true);
    expect(poolServes(someTerms(), far)).toBe(false);
    const first = aPool('first', { fallbackPools: [{ name: 'us', afterSeconds: 60 }] });
    expect(lookupKeys(far, [first, far])).toEqual([...supplyKeys(far), ...supplyKeys(first)]);
    expect(lookupKeys(first, [first, far])).toEqual(supplyKeys(first));
  });

  test('the clock of whoever accepted it may be ahead: the first choice claims all the same', () => {
    expect(ask({ seconds: -3 })).toBe('Eligible');
  });

  test('of several the first choice may at once, each other when its turn comes', () => {
    const [one, two] = [1, 2].map((n) =>
      [0, 2.9, 3].map((seconds) => ask({ agent: anAgent(n), others: [3 - n], seconds })),
    );
    expect([one, two]).toContainEqual(['Eligible', 'Eligible', 'Eligible']);
    expect([one, two]).toContainEqual(['AwaitsTurn', 'AwaitsTurn', 'Eligible']);
    const late = [1, 2].map((n) => asked({ agent: anAgent(n), others: [3 - n], seconds: 1 }));
    expect(late).toContainEqual(expect.objectContaining({ until: at(3).toISOString() }));
  });
});
