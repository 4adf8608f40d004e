/** Why something waits, at a terminal: to its tenant without a machine, to its provider pool by pool. */
import { expect, test } from 'vitest';
import { fakeClock } from '../../lib/fake-clock.ts';
import { aContractView } from '../test-facade.ts';
import { useTerminal } from '../test-terminal.ts';

const terminal = useTerminal({ clock: fakeClock('2026-01-01T12:06:00Z') });
const ID = 'c1d09e44'.repeat(4);
const againAt = '2026-01-01T12:10:00.000Z';
const waiting = {
  ...{ reason: 'NoEligibleAgent', ahead: 2, againAt },
  reasons: [
    { reason: 'AgentOffline', message: 'Some machines are offline.' },
    { reason: 'InsufficientCPU', message: 'Some machines have too little CPU free.' },
  ],
};
const contract = aContractView({
  waiting,
  conditions: [
    {
      ...{ type: 'Schedulable', status: 'False', reason: 'NoEligibleAgent', message: 'NoEligibleAgent' },
      lastTransitionTime: '2026-01-01T12:00:00Z',
    },
  ],
});
const passed = (pool: string, agent: string | null, message: string) => ({
  ...{ pool, agent, message, reason: 'AgentOffline', whatHelps: null, againAt: null },
});
const placement = {
  ...{ reason: 'NoEligibleAgent', ahead: 2, waiting: 5, againAt },
  message: '1 of 4 agents can take 16 CPU in europe (proxmox):\n  eu/node-1: full\nWhat helps: free it.',
  candidates: [{ pool: 'eu', agent: 'node-12', score: 79.6, mayClaimAt: '2026-01-01T12:06:03.000Z' }],
  passedOver: [
    passed('eu', 'node-1', 'full: 4 CPU free of 32 CPU'),
    { ...passed('hetzner', null, 'it is paused'), agents: 20 },
    { ...passed('manual', null, 'no agent has joined'), agents: 0 },
    passed('eu', 'node-10', 'offline since 11:58'),
  ],
  whatHelps: ['free 12 CPU on node-1', 'uncordon node-3'],
};
const detail = {
  ...{ message: 'an older one', pool: null, agent: null, attempts: [], failures: 0, capacityReleases: 0 },
  ...{ holders: [], abandoned: [], retries: 0, canRetry: false, placement },
};

test('its tenant reads the place in the queue, the reasons, when it is looked at again, and what helps', async () => {
  const { stdout } = await terminal.run(() => ({ data: contract }), 'contract', ID);
  const lines = stdout.split('\n');
  expect(lines.slice(lines.indexOf('Waiting for a machine'))).toEqual([
    'Waiting for a machine',
    '  Queue      2 orders before yours',
    '  Why        Some machines are offline.',
    '             Some machines have too little CPU free.',
    `  Next look  in 4m (${againAt}), or as soon as something changes`,
    '  What helps wait, which costs nothing; or rent another: dcm offerings; or dcm cancel c1d09e44',
    '',
    expect.stringContaining('Accepted'), // its history
    '',
  ]);
  expect(stdout).not.toContain('Schedulable');
});

test('who is next and on its way is told so, and nothing is advised', async () => {
  const soon = { ...waiting, reason: 'AwaitingAgent', ahead: 0, reasons: [], againAt: null };
  const { stdout } = await terminal.run(() => ({ data: { ...contract, waiting: soon } }), 'contract', ID);
  expect(stdout).toContain('  Queue      yours is next\n  Next look  as soon as something changes\n\n');
});

test('its provider reads who may claim it, and each pool and agent that was passed over', async () => {
  const answer = () => ({ data: { ...contract, detail } });
  expect((await terminal.run(answer, 'provider', 'contract', ID)).stdout.split('\n')).toEqual([
    `vps-small-k3x9q2m7ta (${ID})`,
    'Accepted (NoEligibleAgent): 1 of 4 agents can take 16 CPU in europe (proxmox)',
    'Queue: 2 before it of 5 that wait there',
    '',
    'May claim it',
    '  eu',
    '    node-12  in 3s, score 80',
    '',
    'Passed over',
    '  eu',
    '    node-1   full: 4 CPU free of 32 CPU',
    '    node-10  offline since 11:58',
    '  hetzner: it is paused (with its 20 agents)',
    '  manual: no agent has joined',
    '',
    'What helps',
    '  free 12 CPU on node-1',
    '  uncordon node-3',
    '',
    `Looked at again in 4m (${againAt}), or as soon as something changes.`,
    '',
  ]);
});

test('of a pool with many agents some are told, and how many more there are', async () => {
  const passedOver = Array.from({ length: 23 }, (_, n) => passed('eu', `node-${n}`, 'offline'));
  const many = { ...detail, placement: { ...placement, passedOver } };
  const { stdout } = await terminal.run(
    () => ({ data: { ...contract, detail: many } }),
    'provider',
    'contract',
    ID,
  );
  expect(stdout.match(/ offline$/gm)).toHaveLength(20);
  expect(stdout).toContain('    and 3 more: --json shows all\n');
});
