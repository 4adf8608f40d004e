/** Any small market, for the property tests: pools, agents with load and failures, and a contract that waits. */
import fc from 'fast-check';
import { aContract, aHolder, aPool, at, someTerms, uidOf } from '../contract/builders.ts';
import type { LiveContract } from '../contract/contract.ts';
import type { MaintenanceWindow } from '../maintenance.ts';
import { aGoingPool, failedAttempt, loaded, someAgent, type World } from './builders.ts';

const POOLS = ['pool-a', 'pool-b', 'pool-c', 'pool-d'] as const;
const AGENTS_MAX = 12;
const agentNumber = fc.integer({ min: 1, max: AGENTS_MAX });
const sometimes = (weight: number): fc.Arbitrary<boolean> => fc.nat(weight).map((n) => n === 0);
/** Before noon, in seconds. */
const past = fc.integer({ min: -4000, max: -1 });

const pool = (name: string) =>
  fc
    .record({
      location: fc.constantFrom('europe', 'europe', 'na'),
      provisionerType: fc.constantFrom('script', 'script', 'docker'),
      priority: fc.integer({ min: -1, max: 1 }),
      paused: sometimes(8),
      isGoing: sometimes(12),
      strategy: fc.constantFrom('Spread', 'Pack'),
      instancesPerAgent: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
      cpuPercent: fc.constantFrom(50, 100, 200),
      minVersion: fc.constantFrom(undefined, undefined, '1.1.0'),
      fallbackPools: fc.uniqueArray(
        fc.record({ name: fc.constantFrom(...POOLS), afterSeconds: fc.constantFrom(0, 60, 300) }),
        { maxLength: 3, selector: ({ name }) => name },
      ),
    })
    .map(({ strategy, instancesPerAgent, cpuPercent, minVersion, isGoing, ...spec }) => {
      const made = aPool(name, {
        ...spec,
        ...(minVersion ? { minVersion } : {}),
        placement: {
          strategy,
          ...(instancesPerAgent ? { instancesPerAgent } : {}),
          overcommit: { cpuPercent, memoryPercent: 100, storagePercent: 100 },
        },
      });
      return isGoing ? { ...made, metadata: { ...made.metadata, ...aGoingPool(name).metadata } } : made;
    });

/** Before, around and after now, one in four. */
const windows: fc.Arbitrary<MaintenanceWindow[]> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<MaintenanceWindow[]>([]) },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: -9000, max: 9000 })
      .map((from) => [
        { startsAt: at(from).toISOString(), endsAt: at(from + 3600).toISOString(), quietMinutes: 15 },
      ]),
  },
);

const agent = (n: number) =>
  fc
    .record({
      pool: fc.constantFrom(...POOLS, 'no-pool'),
      cordoned: sometimes(8),
      revoked: sometimes(10),
      presence: fc.constantFrom('Online', 'Online', 'Online', 'Offline', 'Duplicate'),
      version: fc.constantFrom('1.0.0', '1.1.0', '1.2.0'),
      cpu: fc.nat(40),
      instances: fc.nat(5),
      unproven: fc.nat(1),
      building: fc.constantFrom(0, 0, 1, 8),
      failures: fc.array(past, { maxLength: 4 }),
      capability: fc.boolean(),
      said: fc.constantFrom(undefined, undefined, 'script', 'docker'),
      isIll: sometimes(8),
      mayBuild: fc.constantFrom(true, true, true, true, true, true, true, false),
      maintenance: windows,
    })
    .map(({ pool, cordoned, revoked, maintenance, presence, version, capability, said, ...had }) => {
      const { cpu, instances, unproven, building, failures, mayBuild, isIll } = had;
      return someAgent(n, {
        pool,
        spec: {
          cordoned,
          revoked,
          ...(mayBuild ? {} : { permissions: ['heartbeat'] }),
          cordonReason: `secret-note-${n}`,
          cordonedBy: `secret-name-${n}`,
          maintenance,
        },
        status: {
          version,
          ...(said ? { provisionerType: said } : {}),
          ...(isIll ? { unhealthy: { reason: 'CannotList', message: `secret-words-${n}` } } : {}),
          resources: { cpu: '32', memory: '128Gi', storage: '1000Gi' },
          capabilities: capability ? ['kvm'] : [],
        },
        facts: {
          presence,
          load: { ...loaded(cpu, { instances }), unproven, building },
          health: {
            failures: failures
              .sort((a, b) => a - b)
              .map((seconds, at_) => ({ contractUID: uidOf(700 + at_), at: at(seconds).toISOString() })),
          },
        },
      });
    });

export const worlds: fc.Arbitrary<World> = fc.record({
  pools: fc.subarray([...POOLS], { minLength: 1 }).chain((names) => fc.tuple(...names.map(pool))),
  agents: fc
    .subarray(Array.from({ length: AGENTS_MAX }, (_, n) => n + 1))
    .chain((numbers) => fc.tuple(...numbers.map(agent))),
});

export const contracts: fc.Arbitrary<LiveContract> = fc
  .record({
    uid: fc.integer({ min: 5000, max: 6000 }),
    poolName: fc.constantFrom(undefined, undefined, 'pool-a'),
    regions: fc.subarray(['na', 'apac'] as const),
    provisionerTypes: fc.subarray(['docker'] as const),
    cpu: fc.constantFrom('1', '16', '40'),
    wantsKvm: sometimes(3),
    attempts: fc.array(
      fc.record({
        agent: agentNumber,
        class: fc.constantFrom(undefined, undefined, undefined, 'permanent' as const),
        outcome: fc.constantFrom('Failed', 'Expired', 'Expired', 'Succeeded', 'Released'),
        seconds: fc.oneof(past, fc.integer({ min: -40, max: -1 })),
      }),
      { maxLength: 4 },
    ),
    acceptedSeconds: past,
    pauseSeconds: fc.constantFrom(undefined, undefined, -5, 5),
    holder: fc.option(agentNumber, { nil: undefined }),
    apart: fc.constantFrom(undefined, undefined, 'Preferred' as const, 'Required' as const),
  })
  .map(({ uid, poolName, regions, provisionerTypes, cpu, wantsKvm, ...past }) => {
    const { attempts, acceptedSeconds, pauseSeconds, holder, apart } = past;
    const terms = someTerms({
      ...(poolName ? { poolName } : {}),
      regions,
      provisionerTypes,
      resources: { cpu, memory: '1Gi', storage: '1Gi' },
      ...(wantsKvm ? { requirements: { capabilities: ['kvm'] } } : {}),
    });
    const epoch = attempts.length;
    return aContract(
      'Accepted',
      {
        epoch,
        attempts: attempts.map(({ agent, outcome, class: kind, seconds }, n) => ({
          ...failedAttempt(agent, n + 1, at(seconds)),
          outcome,
          ...(kind && outcome === 'Failed' ? { class: kind } : {}),
        })),
        history: [
          { seq: 1, at: at(acceptedSeconds).toISOString(), to: 'Accepted', by: 'operator', reason: 'Free' },
        ],
        ...(pauseSeconds ? { nextAttemptAt: at(pauseSeconds).toISOString() } : {}),
        ...(holder ? { holders: [aHolder(holder, epoch)] } : {}),
      },
      {
        metadata: { uid: uidOf(uid) },
        spec: { termsSnapshot: terms, ...(apart ? { antiAffinity: { group: 'web', mode: apart } } : {}) },
      },
    );
  });

/** Contracts of the same tenant in the group that the generated ones name, each on one agent. */
export const siblings: fc.Arbitrary<LiveContract[]> = fc
  .uniqueArray(agentNumber, { maxLength: 3 })
  .map((on) =>
    on.map((n) =>
      aContract(
        'Active',
        { holders: [aHolder(n, 1)] },
        {
          metadata: { uid: uidOf(8000 + n) },
          spec: { antiAffinity: { group: 'web', mode: 'Preferred' } },
        },
      ),
    ),
  );
