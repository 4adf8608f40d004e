/** The provider's desk against a server that verifies what was signed: what is sent, and what a person reads. */
import { expect, test } from 'vitest';
import { fakeClock } from '../../lib/fake-clock.ts';
import { type Answer, aContractView, type Ran, type Seen } from '../test-facade.ts';
import { useTerminal } from '../test-terminal.ts';
import { matchHolder } from './desk.ts';

const terminal = useTerminal({ clock: fakeClock('2026-01-02T12:00:00Z') });

const UID = 'aaaaaaaa-0000-4000-8000-000000000001';
const failed = aContractView({
  phase: 'Failed',
  reason: 'AttemptsExhausted',
  detail: {
    message: 'All 3 tries to build it failed',
    pool: null,
    agent: null,
    attempts: [
      {
        agent: 'node-1',
        agentUID: UID,
        epoch: 1,
        startedAt: '2026-01-02T10:00:00.000Z',
        endedAt: '2026-01-02T11:00:00.000Z',
        outcome: 'Failed',
        class: 'transient',
        message: 'the disk is full',
      },
    ],
    failures: 3,
    capacityReleases: 0,
    holders: [{ agent: 'node-1', agentUID: UID, epoch: 1 }],
    abandoned: [],
    retries: 4,
    canRetry: true,
  },
});
const answer = ({ method, path }: Seen): Answer => ({
  data: method === 'GET' && path === '/api/v1/provider/contracts' ? [failed] : failed,
});
const run = (...argv: string[]): Promise<Ran> => terminal.run(answer, ...argv);

test('what failed is shown with every attempt, on whose machine and why', async () => {
  const { stdout, stderr } = await run('provider', 'contract', 'c1d09e44');
  expect(stdout.split('\n')).toEqual([
    `vps-small-k3x9q2m7ta (${'c1d09e44'.repeat(4)})`,
    'Failed (AttemptsExhausted): All 3 tries to build it failed',
    '',
    'Attempts',
    expect.stringMatching(/^ +1h ago {2}node-1 {2}epoch 1 {2}Failed \(transient\): the disk is full$/),
    '',
    'May have a machine of it',
    '  node-1  epoch 1',
    '',
  ]);
  expect(stderr).toBe('Try it again: dcm retry c1d09e44\n');
});

test('a list by phase', async () => {
  const { stdout } = await run('provider', 'contracts', '--phase', 'Failed');
  expect(stdout).toMatch(/c1d09e44 +vps-small-k3x9q2m7ta +Failed +AttemptsExhausted/);
  expect(terminal.seen()[0]).toMatchObject({
    query: { phase: 'Failed' },
    keyid: terminal.home().key.publicKey,
  });
});

test('a retry names its number, so that asking twice is asking once', async () => {
  expect((await run('retry', 'vps-small')).stdout).toBe('vps-small-k3x9q2m7ta is tried again.\n');
  expect(terminal.seen().at(-1)).toMatchObject({
    method: 'PUT',
    path: `/api/v1/provider/contracts/${'c1d09e44'.repeat(4)}/retry`,
    body: { count: 5 },
  });
});

test('force asks first, and says which agent, which epoch and why', async () => {
  const words = ['force-release', 'c1d09e44', '--agent', 'node-1', '--reason', 'the host burnt down'];
  expect(await run(...words)).toMatchObject({ exitCode: 2 });
  expect((await run(...words, '--yes')).stdout).toBe('vps-small-k3x9q2m7ta waits no more for node-1.\n');
  expect(terminal.seen().at(-1)).toMatchObject({
    method: 'POST',
    path: expect.stringMatching(/force-release$/),
    body: { agentUid: UID, epoch: 1, reason: 'the host burnt down' },
  });
});

test('an agent that holds nothing, or several epochs, is named with what there is', () => {
  const holders = [1, 2].map((epoch) => ({ agent: 'node-1', agentUID: UID, epoch }));
  expect(matchHolder(holders, { agent: 'node-1', epoch: 2 })).toEqual(holders[1]);
  expect(() => matchHolder(holders, { agent: 'node-1' })).toThrow('several epochs');
  expect(() => matchHolder(holders, { agent: 'node-2' })).toThrow('node-2 holds nothing of it');
});
