/** A provider and its pools at a terminal: how they do, and all that can be set of one. */
import { expect, test } from 'vitest';
import { fakeClock } from '../../lib/fake-clock.ts';
import type { Ran } from '../test-facade.ts';
import { useTerminal } from '../test-terminal.ts';

const CLOCK = fakeClock();
const terminal = useTerminal({ clock: CLOCK });
const at = (hours: number): string => new Date(CLOCK.now().getTime() + hours * 3_600_000).toISOString();
const condition = (type: string, status: string, message: string) => ({
  ...{ type, status, message, reason: 'Word', lastTransitionTime: at(-1) },
});
const POOL = {
  ...{ poolId: 'eu', displayName: 'Europe', location: 'europe', provisionerType: 'script' },
  ...{ createdAt: at(-1), providerPubkey: 'a'.repeat(64), agents: 5, online: 4, activeContracts: 23 },
  ...{ waitingContracts: 2, free: { cpu: '71', memory: '217088Mi' }, ready: true, message: null },
  conditions: [
    condition('Ready', 'True', '4 of 5 agents are online'),
    condition('FallbacksUsable', 'False', 'hetzner is never asked: there is no such pool'),
  ],
  ...{ attempts24h: { succeeded: 75, failed: 1 }, successRate24h: 75 / 76 },
  settings: {
    ...{ paused: false, priority: 10, lockTTLSeconds: 120, strategy: 'Pack', instancesPerAgent: 20 },
    fallbackPools: [{ name: 'hetzner', afterSeconds: 120 }],
    overcommit: { cpuPercent: 400, memoryPercent: 100, storagePercent: 80 },
    ...{ buildsPerAgent: null, minVersion: '1.2.0', upgrade: { toVersion: '1.3.0' } },
    maintenance: [{ startsAt: at(3), endsAt: at(4), quietMinutes: 15, reason: 'power' }],
  },
};
const PAUSED = {
  ...{ ...POOL, poolId: 'old', free: {}, attempts24h: { succeeded: 0, failed: 0 } },
  conditions: [condition('Ready', 'False', 'It is paused')],
  ...{ ready: false, message: 'It is paused', settings: { ...POOL.settings, paused: true } },
};
const answer = ({ path }: { path: string }) => ({ data: path.endsWith('/pools') ? [POOL, PAUSED] : POOL });
const run = (...argv: string[]): Promise<Ran> => terminal.run(answer, ...argv);

test.each([[['pools']], [['pool', 'list']]])('%j is the table that kubectl shows', async (argv) => {
  const { stdout, stderr } = await run(...argv);
  expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    [
      ...['POOL', 'REGION', 'TYPE', 'ONLINE', 'ACTIVE', 'WAITING', 'FREE CPU', 'FREE MEM'],
      ...['SUCCESS 24H', 'READY', 'AGE'],
    ],
    ['eu', 'europe', 'script', '4/5', '23', '2', '71', '212Gi', '98.6%', 'yes', '1h'],
    ['old', 'europe', 'script', '4/5', '23', '2', '-', '-', '-', 'paused', '1h'],
    [''],
  ]);
  expect(stderr).toBe('eu: hetzner is never asked: there is no such pool\nold: It is paused\n');
});

test('show tells all of a pool', async () => {
  const { stdout } = await run('pool', 'show', 'eu');
  expect(stdout.split('\n')).toEqual([
    'Pool:        Europe (eu): script in europe',
    'State:       ready',
    'Says:        4 of 5 agents are online',
    '             hetzner is never asked: there is no such pool',
    'Agents:      4 of 5 online',
    'Contracts:   23 held, 2 waiting',
    'Free:        71 CPU, 217088Mi memory',
    'Success 24h: 98.6% (75 built, 1 failed)',
    'Priority:    10',
    'Fallback:    hetzner after 120 s',
    'Strategy:    pack: fill one agent first',
    'Per agent:   20 contracts at most, the usual number being built',
    'Lock:        120 s without renewal',
    'Overcommit:  cpu=400,memory=100,disk=80',
    'Version:     1.2.0 or newer',
    'Upgrade:     to 1.3.0',
    `Maintenance: ${at(3)} to ${at(4)}: power`,
    '',
  ]);
});

test.each<[words: string[], body: object]>([
  [
    ['--min-version', '1.2.0', '--upgrade-to', '1.3.0', '--not-before', '3d'],
    { minVersion: '1.2.0', upgrade: { toVersion: '1.3.0', notBefore: at(72) } },
  ],
  [
    ['--min-version', 'none', '--upgrade-to', 'none', '--overcommit', 'none'],
    { minVersion: null, upgrade: null, overcommit: null },
  ],
  [
    ['--overcommit', 'cpu=400,disk=80', '--pause'],
    { paused: true, overcommit: { cpuPercent: 400, memoryPercent: 100, storagePercent: 80 } },
  ],
  [
    ['--priority', '-5', '--strategy', 'pack', '--lock-ttl', '120', '--resume'],
    { priority: -5, strategy: 'Pack', lockTTLSeconds: 120, paused: false },
  ],
  [
    ['--fallback', 'hetzner=120', '--fallback', 'by-hand=3600'],
    {
      fallbackPools: [
        { name: 'hetzner', afterSeconds: 120 },
        { name: 'by-hand', afterSeconds: 3600 },
      ],
    },
  ],
  [
    ['--fallback', 'none', '--instances-per-agent', '20', '--builds-per-agent', 'none'],
    { fallbackPools: null, instancesPerAgent: 20, buildsPerAgent: null },
  ],
])('pool set %j', async (words, body) => {
  for (const command of ['set', 'update']) {
    expect(await run('pool', command, 'eu', ...words)).toMatchObject({ exitCode: 0 });
    expect(terminal.seen().at(-1)).toMatchObject({ method: 'PUT', body });
    expect(terminal.seen().at(-1)?.body).toEqual(body);
  }
});

test.each([
  [[], 'it is not said what to change'],
  [['--overcommit', 'gpu=2'], 'cpu=400'],
  [['--priority', 'high'], 'whole number'],
  [['--fallback', 'hetzner'], 'europe-hetzner=120'],
  [['--fallback', 'none', '--fallback', 'hetzner=1'], 'europe-hetzner=120'],
  [['--strategy', 'random'], 'spread, pack'],
  [['--builds-per-agent', '0'], 'from 1 to'],
  [['--lock-ttl', '4'], 'from 5 to 3600'],
])('pool set %j is refused', async (words, why) => {
  expect(await run('pool', 'set', 'eu', ...words)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining(why),
  });
  expect(terminal.seen()).toEqual([]);
});
