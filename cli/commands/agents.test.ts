/** A provider at a terminal: an agent in full, a drain with its list, labels, maintenance. */
import { expect, test } from 'vitest';
import { fakeClock } from '../../lib/fake-clock.ts';
import type { Answer, Ran, Seen } from '../test-facade.ts';
import { useTerminal } from '../test-terminal.ts';

const CLOCK = fakeClock();
const terminal = useTerminal({ clock: CLOCK });
const at = (hours: number): string => new Date(CLOCK.now().getTime() + hours * 3_600_000).toISOString();
const VIEW = {
  agentName: 'node-3',
  agentPubkey: 'f'.repeat(64),
  label: 'rack 7',
  poolId: 'eu',
  permissions: [],
  online: true,
  version: '1.0.0',
  activeContracts: 2,
  free: { cpu: '12', memory: '48Gi', instances: 3 },
  lastSeenAt: at(0),
  cordoned: true,
  draining: true,
  revoked: false,
  problem: null,
};
const DETAIL = {
  ...VIEW,
  labels: { disk: 'nvme', rack: '7' },
  ...{ cordonReason: 'new kernel', cordonedBy: 'acme', cordonedSince: at(-2) },
  health: { healthy: false, reason: 'CannotList', message: 'no such file', since: at(-1) },
  drainBy: at(2),
  remaining: [
    {
      contractId: 'c1d09e44'.repeat(4),
      name: 'vps-small-k3x9',
      phase: 'Active',
      reason: 'NotMovable',
      message: 'its offering does not allow to build it anew elsewhere',
      endsAt: null,
    },
  ],
  maintenance: [{ startsAt: at(3), endsAt: at(4), quietMinutes: 15, reason: 'kernel' }],
  upgrade: { state: 'Announced', toVersion: '1.1.0', notBefore: null },
  resources: { cpu: '16', memory: '64Gi', storage: null, gpu: 0, instances: null },
  capabilities: ['kvm'],
  storageClasses: ['nvme'],
};
const answer = ({ path }: Seen): Answer => {
  return { data: path.endsWith('/agents') ? [VIEW] : DETAIL };
};
const run = (...argv: string[]): Promise<Ran> => terminal.run(answer, ...argv);
const sent = () => terminal.seen().at(-1);

test('a drain with a deadline says what remains, and why', async () => {
  const { stdout, exitCode } = await run(
    'agent',
    'drain',
    'node-3',
    '--deadline',
    '2h',
    '--reason',
    'new kernel',
  );
  expect(exitCode).toBe(0);
  expect(sent()).toMatchObject({
    method: 'POST',
    path: expect.stringMatching(/agents\/f{64}\/drain$/),
    body: { reason: 'new kernel', deadlineAt: at(2) },
  });
  expect(stdout.split('\n')).toEqual([
    'rack 7 is being emptied.',
    `What can be is moved away from ${at(2)} on.`,
    'REMAINS         ID        PHASE   WHY',
    'vps-small-k3x9  c1d09e44  Active  its offering does not allow to build it anew elsewhere',
    '',
  ]);
});

test('show tells all of an agent', async () => {
  const { stdout } = await run('agent', 'show', 'ffff');
  for (const line of [
    /^Agent: +rack 7 in eu$/m,
    /^Work: +is being drained \(by acme since .*Z: new kernel\); what can be is moved from .*Z on$/m,
    /^Health: +CannotList since .*Z \(1h ago\): no such file$/m,
    /^Version: +1\.0\.0, to be upgraded to 1\.1\.0$/m,
    /^Has: +16 CPU, 64Gi memory$/m,
    /^Free: +12 CPU, 48Gi memory, room for 3$/m,
    /^Labels: +disk=nvme, rack=7$/m,
    /^Offers: +kvm, nvme$/m,
    /^Maintenance: .* to .*: kernel$/m,
    /^vps-small-k3x9 /m,
  ])
    expect(stdout).toMatch(line);
});

test.each([
  [{}, /^Work: +cordoned: gets no new work \(by acme since .*Z: new kernel\)$/m],
  [{ cordonReason: null }, /^Work: +cordoned: gets no new work \(by acme since .*Z\)$/m],
  [{ cordonedBy: null, cordonedSince: null }, /^Work: +cordoned: gets no new work \(new kernel\)$/m],
  [
    { cordonReason: null, cordonedBy: null, cordonedSince: null },
    /^Work: +cordoned: gets no new work\n(?!Health)/m,
  ],
])(
  'show tells by whom, since when and why it is cordoned, and nothing of a host that is well',
  async (said, want) => {
    const health = { healthy: true, reason: 'NoRunOfFailures', message: 'It builds', since: at(-1) };
    const detail = { ...DETAIL, draining: false, health, ...said };
    const { stdout } = await terminal.run(
      ({ path }: Seen): Answer => ({ data: path.endsWith('/agents') ? [VIEW] : detail }),
      ...['agent', 'show', 'ffff'],
    );
    expect(stdout).toMatch(want);
  },
);

test('maintenance of an agent and of a pool, and an end to it', async () => {
  const window = { startsAt: at(0), endsAt: at(2), reason: 'power' };
  const words = ['--until', '2h', '--reason', 'power'];
  expect((await run('agent', 'maintenance', 'node-3', ...words)).stdout).toContain(
    `from ${at(0)} until ${at(2)}`,
  );
  expect(sent()).toMatchObject({
    method: 'PUT',
    path: expect.stringMatching(/f\/maintenance$/),
    body: { windows: [window] },
  });
  await run('pool', 'maintenance', 'eu', ...words);
  expect(sent()).toMatchObject({
    path: expect.stringMatching(/pools\/eu\/maintenance$/),
    body: { windows: [window] },
  });
  expect((await run('agent', 'maintenance', 'node-3', ...words, '--every', 'week')).stdout).toContain(
    `until ${at(2)} and every week after`,
  );
  expect(sent()?.body).toEqual({ windows: [{ ...window, every: 'Week' }] });
  await run('agent', 'maintenance', 'node-3', '--clear');
  expect(sent()?.body).toEqual({ windows: [] });
  expect(await run('agent', 'maintenance', 'node-3')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('until when'),
  });
});

test('agents are listed with what is free', async () => {
  const { stdout } = await run('agents');
  expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    ['AGENT', 'POOL', 'STATE', 'CONTRACTS', 'FREE CPU', 'FREE MEM', 'VERSION', 'SEEN', 'KEY'],
    ['rack 7', 'eu', 'online, draining', '2', '12', '48Gi', '1.0.0', 'now', 'ffffffffffff'],
    [''],
  ]);
});

test('labels are set and taken away', async () => {
  const { stdout } = await run('agent', 'label', 'node-3', 'disk=nvme', 'note=', 'old-');
  expect(sent()).toMatchObject({
    method: 'PATCH',
    path: expect.stringMatching(/agents\/f{64}\/labels$/),
    body: { labels: { disk: 'nvme', note: '', old: null } },
  });
  expect(stdout).toBe('rack 7 has disk=nvme, rack=7.\n');
  expect(await run('agent', 'label', 'node-3', 'disk')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('name=value'),
  });
});
