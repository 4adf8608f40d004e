/** The life of a contract at the command line: what is sent, and what a person reads. Its term: `term.test.ts`. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sealCredentials } from '../../crds/contract/credentials.ts';
import { systemClock } from '../../lib/clock.ts';
import { fakeClock } from '../../lib/fake-clock.ts';
import { ACTIVE, type Answer, aContractView, aProblem, dcm, makeHome, type Seen } from '../test-facade.ts';
import { useTerminal } from '../test-terminal.ts';

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me@host';
const ID = 'c1d09e44'.repeat(4);
const NAME = 'vps-small-k3x9q2m7ta';
const terminal = useTerminal({
  clock: fakeClock('2026-01-02T12:00:00Z'),
  prepare: ({ folder }) => writeFile(join(folder, 'one.pub'), `${KEY}\n`),
});
const against = terminal.run;
const sent = () => terminal.seen().filter(({ method }) => method !== 'GET');

const view = (change: object = {}) => aContractView({ ...ACTIVE, ...change });
const asItIs = (change: object = {}): Answer => ({ data: view(change) });

describe('wishes', () => {
  test.each([
    ['start', { action: 'Start' }, 'is switched on'],
    ['stop', { action: 'Stop' }, 'is switched off'],
    ['restart', { action: 'Restart' }, 'is restarted'],
  ])('dcm %s', async (command, body, said) => {
    const wish = { wish: command === 'restart' ? 'Restart' : 'Power', state: 'Open' };
    const ran = await against(() => asItIs({ wishes: [wish] }), command, ID);
    expect(ran).toEqual({ exitCode: 0, stdout: `${NAME} ${said} within seconds.\n`, stderr: '' });
    expect(sent()).toMatchObject([{ method: 'POST', path: `/api/v1/contracts/${ID}/power`, body }]);
  });

  test.each([
    ['restart', { action: 'Restart' }, '/power'],
    ['reinstall --yes', {}, '/reinstall'],
  ])(
    'dcm %s that got no answer is sent again with the same key: it is done once',
    async (command, body, path) => {
      let tries = 0;
      const [name = '', ...flags] = command.split(' ');
      const { url } = await terminal.open(
        ({ method }) => (method !== 'GET' && ++tries < 3 ? 'HangUp' : asItIs()),
        systemClock,
      );
      const ran = await dcm(terminal.home(), [name, ID, ...flags, '--api-url', url]);
      expect([ran.exitCode, ran.stderr]).toEqual([0, '']);
      expect(sent().map((call) => [call.path.replace(`/api/v1/contracts/${ID}`, ''), call.body])).toEqual(
        Array(3).fill([path, body]),
      );
      const keys = new Set(sent().map(({ idempotencyKey }) => idempotencyKey));
      expect([keys.size, keys.has(undefined)]).toEqual([1, false]);
    },
  );

  test('re-installed with other settings; what the offering does not allow is a line each', async () => {
    const errors = [
      { field: 'instanceConfig/image', pointer: '/image', message: 'must be one of "debian"' },
      { field: 'instanceConfig/x', pointer: '/x', message: 'is not known to the offering' },
    ];
    const detail = 'instanceConfig is not what the offering allows: /image must be one of "debian"; /x …';
    const ran = await against(
      ({ method }) =>
        method === 'GET' ? asItIs() : aProblem(422, 'InstanceConfigInvalid', { detail, errors }),
      ...['reinstall', ID, '--yes', '--config', '{"image":"windows","x":1}'],
    );
    expect(sent()).toMatchObject([{ body: { instanceConfig: { image: 'windows', x: 1 } } }]);
    expect(ran.exitCode).toBe(1);
    expect(ran.stderr).toContain(
      'instanceConfig is not what the offering allows\n  instanceConfig/image: must be one of "debian"\n  instanceConfig/x: is not known to the offering',
    );
    const wrong = await against(() => asItIs(), 'reinstall', ID, '--yes', '--config', '[1]');
    expect([wrong.exitCode, wrong.stderr]).toEqual([
      2,
      expect.stringContaining('--config is no JSON object'),
    ]);
  });

  test('--wait follows it until it was done', async () => {
    let looks = 0;
    const ran = await against(
      ({ path, method }) => {
        if (path.endsWith('/events'))
          return { raw: 'data: {}\n\n', headers: { 'content-type': 'text/event-stream' } };
        if (method === 'GET') looks += 1;
        return asItIs({ wishes: looks < 3 ? [{ wish: 'Restart', state: 'Open' }] : [] });
      },
      ...['restart', ID, '--wait'],
    );
    expect([ran.stdout, looks]).toEqual([
      `${NAME} is restarted within seconds.\n`.replace(' within seconds', ''),
      3,
    ]);
  });

  test('what the machine cannot do is exit code 1', async () => {
    let asked = false;
    const ran = await against(
      ({ method }) => {
        const state = asked && method === 'GET' ? 'CannotBeDone' : 'Open';
        asked ||= method !== 'GET';
        return asItIs({ wishes: [{ wish: 'Reinstall', state }] });
      },
      ...['reinstall', ID, '--yes', '--wait'],
    );
    expect([ran.exitCode, ran.stderr]).toEqual([1, expect.stringContaining('cannot do that')]);
  });

  test('a re-installation asks first, and where nobody can be asked it wants --yes', async () => {
    expect(await against(() => asItIs(), 'reinstall', ID)).toMatchObject({ exitCode: 2 });
    expect(sent()).toEqual([]);
  });

  test('keys come from files, one each', async () => {
    const file = join(terminal.home().folder, 'one.pub');
    await against(() => asItIs(), 'keys', ID, '--ssh-key', file, file);
    expect(sent()).toMatchObject([{ method: 'PUT', body: { sshPublicKeys: [KEY, KEY] } }]);
    expect(await against(() => asItIs(), 'keys', ID, '--ssh-key', terminal.home().keyFile)).toMatchObject({
      exitCode: 2,
    });
  });
});

test('a password is set, awaited and opened; a stranger reads nothing of it', async () => {
  const secret = { user: 'root', password: 'correct horse' };
  const sealed = sealCredentials(terminal.home().key.publicKey, secret, { contractId: ID, count: 2 });
  const credentials = { sealed, passwordReset: 2, setAt: '2026-01-02T12:00:00.000Z', user: 'tenant' };
  const answers = ({ path, method }: Seen): Answer =>
    method === 'GET' && path.endsWith('/credentials')
      ? { data: { asked: 2, done: 2, problem: null, credentials } }
      : asItIs();
  const ran = await against(answers, 'password', ID, '--reset');
  expect(ran).toEqual({ exitCode: 0, stdout: 'correct horse\n', stderr: 'Of user root:\n' });
  expect(sent()).toMatchObject([{ method: 'POST', path: `/api/v1/contracts/${ID}/reset-password` }]);
  const stranger = await makeHome();
  const { url } = await terminal.open(answers, systemClock);
  const read = await dcm(stranger, ['password', ID, '--api-url', url]);
  await stranger.remove();
  expect([read.exitCode === 0, read.stdout]).toEqual([false, '']);
});

test('a machine without a way to set one says so', async () => {
  const ran = await against(
    ({ path }) =>
      path.endsWith('/credentials')
        ? { data: { asked: 1, done: 0, problem: 'CannotBeSet', credentials: null } }
        : asItIs(),
    ...['password', ID, '--reset'],
  );
  expect([ran.exitCode, ran.stderr]).toEqual([1, expect.stringContaining('no way to set a password')]);
});

describe('the provider', () => {
  const desk = {
    message: null,
    pool: null,
    agent: null,
    attempts: [],
    failures: 0,
    capacityReleases: 0,
    holders: [],
    abandoned: [],
    retries: 0,
    canRetry: false,
  };
  const detailed = view({ detail: desk });
  const answer = ({ path }: Seen): Answer => ({
    data: path.endsWith('/rental-requests') ? [detailed] : detailed,
  });
  test.each([
    [['accept', ID], 'POST', `rental-requests/${ID}/respond`, { accept: true }],
    [['reject', ID, '--note', 'no'], 'POST', `rental-requests/${ID}/respond`, { accept: false, note: 'no' }],
    [['pause', ID, '--reason', 'abuse'], 'PUT', `contracts/${ID}/pause`, { reason: 'abuse' }],
    [['resume', ID], 'PUT', `contracts/${ID}/resume`, undefined],
    [['cancel', ID, '--note', 'over', '--yes'], 'PUT', `contracts/${ID}/cancel`, { note: 'over' }],
  ] as const)('dcm provider %s', async (argv, method, path, body) => {
    const ran = await against(answer, 'provider', ...argv);
    expect(ran.exitCode).toBe(0);
    expect(sent()).toEqual([expect.objectContaining({ method, path: `/api/v1/provider/${path}`, body })]);
  });

  test('requests are a table; cancelling wants --yes', async () => {
    expect((await against(answer, 'provider', 'requests')).stdout).toContain('c1d09e44  ');
    expect(await against(answer, 'provider', 'cancel', ID)).toMatchObject({ exitCode: 2 });
    expect(sent()).toEqual([]);
  });

  test('auto-accept', async () => {
    const settings = ({ body }: Seen): Answer => ({ data: body });
    await against(settings, 'provider', 'auto-accept', 'off');
    expect(sent()).toMatchObject([{ method: 'PUT', body: { autoAcceptRentals: false } }]);
  });
});
