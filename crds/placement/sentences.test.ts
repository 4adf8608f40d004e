/** Each sentence about a pool or an agent as a provider reads it, with one and with many. */
import { expect, test } from 'vitest';
import { aContract, aPool, at, someTerms } from '../contract/builders.ts';
import { loaded, placeIn, someAgent } from './builders.ts';
import { explain } from './explain.ts';
import { type Because, PASSED_OVER_REASONS, type PassedOverReason } from './reasons.ts';
import { sentenceOf } from './sentences.ts';

const GIB = 2 ** 30;
const short = { free: 1, total: 2, wanted: 4 };
const noonMs = at(0).getTime();
const window = { closedMs: noonMs, startsMs: noonMs, endsMs: at(3600).getTime(), reason: 'disks' };
const ROWS: { [R in PassedOverReason]: readonly (readonly [Omit<Because<R>, 'reason'>, string | RegExp])[] } =
  {
    NotTheChosenPool: [[{ chosen: 'gold' }, 'the offering names pool gold']],
    WrongRegion: [
      [{ region: 'na', wanted: ['europe'] }, 'in na, wanted is europe'],
      [{ region: 'na', wanted: ['europe', 'apac'] }, 'in na, wanted is europe or apac'],
    ],
    WrongType: [
      [{ type: 'script', wanted: ['docker', 'hetzner'] }, 'builds script, wanted is docker or hetzner'],
    ],
    NoAgents: [[{}, 'no agent has joined']],
    PoolNotFound: [[{}, 'there is no such pool']],
    PoolDeleting: [[{}, 'its pool is being deleted']],
    AgentRevoked: [[{}, 'revoked']],
    MissingPermission: [[{}, 'lacks the permission provision']],
    AgentTypeMismatch: [
      [{ said: 'docker', wanted: 'script' }, 'says that it builds docker, its pool is for script'],
    ],
    LabelMismatch: [[{ condition: 'disk=ssd' }, 'its labels do not fit disk=ssd']],
    MissingCapability: [[{ capability: 'tpu' }, 'lacks tpu']],
    MissingStorageClass: [[{ storageClass: 'fast' }, 'has no disk of class fast']],
    TooSmall: [
      [{ dimension: 'gpus', total: 0, wanted: 1 }, 'too small: 0 GPU in all, 1 GPU wanted'],
      [{ dimension: 'cpuMilli', total: 1000, wanted: 2500 }, 'too small: 1 CPU in all, 2.5 CPU wanted'],
    ],
    FailedForGood: [
      [{ epoch: 2, class: 'configuration' }, 'its attempt of epoch 2 failed for good: configuration'],
      [{ epoch: 2, class: undefined }, 'its attempt of epoch 2 failed for good: permanent'],
    ],
    AgentCordoned: [
      [{ note: undefined, by: undefined, sinceMs: undefined }, 'cordoned'],
      [{ note: 'disk swap', by: undefined, sinceMs: undefined }, 'cordoned: "disk swap"'],
      [
        { note: 'disk swap', by: 'ops@acme', sinceMs: at(-90).getTime() },
        'cordoned by ops@acme since 11:58:30 UTC: "disk swap"',
      ],
    ],
    AgentDraining: [[{}, 'is being drained']],
    DuplicateAgent: [[{}, 'two processes use its key']],
    AgentOffline: [
      [{ sinceMs: undefined }, 'offline'],
      [{ sinceMs: at(-90).getTime() }, 'offline since 11:58:30 UTC'],
      [{ sinceMs: at(-86_400).getTime() }, 'offline since 2025-12-31 12:00:00 UTC'],
    ],
    AgentUnhealthy: [[{ message: 'disk full' }, 'unhealthy: disk full']],
    Maintenance: [
      [{ window, of: 'Agent' }, /^maintenance /],
      [{ window, of: 'Pool' }, /^its pool has maintenance /],
    ],
    BreakerOpen: [
      [
        { failures: 3, untilMs: at(60).getTime() },
        'unhealthy: 3 contracts in a row failed, again from 12:01:00 UTC on',
      ],
    ],
    OnTrial: [
      [{ failures: 3 }, 'on trial after 3 contracts in a row failed: one at a time until one succeeds'],
    ],
    VersionTooOld: [
      [
        { version: undefined, minVersion: '1.2.0' },
        'dc-agent of unknown version, the pool wants 1.2.0 or newer',
      ],
      [{ version: '1.1.0', minVersion: '1.2.0' }, 'dc-agent 1.1.0, the pool wants 1.2.0 or newer'],
    ],
    InsufficientCPU: [
      [{ free: 1000, total: 1000, wanted: 2000 }, 'full: 1 CPU free of 1 CPU'],
      [{ free: 0, total: 1500, wanted: 2000 }, 'full: 0 CPU free of 1.5 CPU'],
    ],
    InsufficientMemory: [[{ free: 0, total: GIB, wanted: GIB }, 'full: 0Mi memory free of 1Gi memory']],
    InsufficientStorage: [
      [{ free: GIB / 2, total: 20 * 2 ** 40, wanted: GIB }, 'full: 512Mi disk free of 20Ti disk'],
    ],
    InsufficientGPU: [[short, 'full: 1 GPU free of 2 GPU']],
    TooManyInstances: [
      [{ ...short, total: 1 }, 'full: it has its one machine'],
      [{ ...short, total: 8 }, 'full: it has all of its 8 machines'],
    ],
    TooManyBuilds: [
      [{ building: 8, most: 8 }, 'waits for what it has begun: builds 8, and may have 8 at a time'],
    ],
    AntiAffinity: [[{ group: 'web' }, "has another contract of the tenant's group web"]],
    PoolPaused: [[{}, 'its pool is paused']],
    FallbackLater: [
      [{ opensAtMs: at(1).getTime(), afterSeconds: 1 }, 'from 12:00:01 UTC on (fallback after 1 s)'],
    ],
  };

const cases = PASSED_OVER_REASONS.flatMap((reason) =>
  ROWS[reason].map(([figures, sentence]) => ({ because: { ...figures, reason } as Because, sentence })),
); // a row of the table belongs to its reason
test.each(cases)('$because.reason: $sentence', ({ because, sentence }) => {
  const said = sentenceOf(because, { nowMs: at(0).getTime() });
  if (typeof sentence === 'string') expect(said).toBe(sentence);
  else expect(said).toMatch(sentence);
  expect(said).not.toMatch(/\b1 [a-z]+s\b(?! in a row)/);
});

test.each([
  [1, 0, '1 of 1 agent can take'],
  [0, 1, '0 of 1 agent can take'],
  [0, 2, '0 of 2 agents can take'],
  [1, 1, '1 of 2 agents can take'],
])('%i that can and %i that cannot are told: %s', (can, cannot, head) => {
  const agents = [...Array(can + cannot).keys()].map((n) =>
    someAgent(n + 1, n < can ? {} : { facts: { load: loaded(32) } }),
  );
  const contract = aContract('Accepted', {}, { spec: { termsSnapshot: someTerms() } });
  const found = explain(placeIn({ pools: [aPool()], agents }, contract, { now: at(0) }));
  expect(found.message.startsWith(head)).toBe(true);
  if (can === 1) expect(found.tenantMessage).toBe('On its way to an agent in Europe.');
});
