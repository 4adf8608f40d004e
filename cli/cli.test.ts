/** The program from argument to exit code, against a server that verifies what was signed. */
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { fakeClock } from '../lib/fake-clock.ts';
import {
  ACTIVE,
  type Answer,
  aContractView,
  aProblem,
  dcm,
  type Facade,
  type Home,
  makeHome,
  openFacade,
  type Ran,
  type Seen,
} from './test-facade.ts';

let home: Home;
let facade: Facade | undefined;
beforeAll(async () => {
  home = await makeHome();
  await mkdir(join(home.folder, '.ssh'));
  await writeFile(join(home.folder, '.ssh', 'id_ed25519.pub'), 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me@host\n');
});
afterEach(async () => {
  await facade?.close();
  facade = undefined;
});
afterAll(() => home.remove());

async function against(answer: (seen: Seen) => Answer | 'HangUp', ...argv: string[]): Promise<Ran> {
  facade = await openFacade(answer);
  return dcm(home, [...argv, '--api-url', facade.url]);
}

const RENTED = {
  contractId: 'c1d09e44'.repeat(4),
  name: 'vps-small-k3x9',
  phase: 'Requested',
  message: 'On its way.',
};

describe('renting', () => {
  test('is signed by the tenant, with the key of ~/.ssh', async () => {
    const ran = await against(
      () => ({ status: 201, data: RENTED }),
      'rent',
      'acme/vps-small',
      '--hours',
      '48',
    );
    expect(ran.stdout).toBe('Rented acme/vps-small as vps-small-k3x9 (c1d09e44). On its way.\n');
    expect(ran.exitCode).toBe(0);
    expect(facade?.seen).toMatchObject([
      {
        method: 'POST',
        path: '/api/v1/contracts',
        keyid: home.key.publicKey,
        body: {
          offeringId: 'acme/vps-small',
          durationHours: 48,
          sshPublicKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me@host',
        },
      },
    ]);
  });

  test('repeats the same order under one Idempotency-Key, signed anew, until it is answered', async () => {
    const answers: (Answer | 'HangUp')[] = [
      'HangUp',
      { ...aProblem(503, 'ShuttingDown'), headers: { 'retry-after': '0' } },
      { status: 201, data: RENTED },
    ];
    const ran = await against(() => answers.shift() ?? 'HangUp', 'rent', 'acme/vps-small');
    expect(ran.exitCode).toBe(0);
    const seen = facade?.seen ?? [];
    expect(seen).toHaveLength(3);
    expect(new Set(seen.map(({ idempotencyKey }) => idempotencyKey))).toEqual(new Set([expect.any(String)]));
    expect(new Set(seen.map(({ nonce }) => nonce)).size).toBe(3);
  });

  test('--wait prints each step once and ends at Active, though the stream of events is broken', async () => {
    const views = [aContractView(), aContractView(), aContractView({ ...ACTIVE })];
    const clock = fakeClock();
    facade = await openFacade(({ method, path }) => {
      if (method === 'POST') return { status: 201, data: RENTED };
      if (path.endsWith('/events')) return aProblem(404, 'RouteNotFound');
      return { data: views.length > 1 ? views.shift() : views[0] };
    }, clock);
    const running = dcm(home, ['rent', 'acme/vps-small', '--wait', '--api-url', facade.url], { clock });
    let ran: Ran | undefined;
    void running.then((result) => {
      ran = result;
    });
    const step = async (): Promise<Ran | undefined> => {
      await clock.advance(1_000);
      return ran;
    };
    await expect.poll(step, { interval: 20 }).toBeDefined();
    const steps = ran?.stdout.split('\n').map((line) => line.replace(/^ +[\d.]+ s/, '')) ?? [];
    expect(steps).toEqual([
      'Rented acme/vps-small as vps-small-k3x9 (c1d09e44).',
      '  Accepted      No machine with 16 CPU is free in Europe right now.',
      '  Provisioning  WasProvisioning',
      '  Provisioned   WasProvisioned',
      '  Active        198.51.100.7:22',
      '',
    ]);
    expect(ran?.stderr).toBe('Log in: dcm ssh c1d09e44\n');
    expect(ran?.exitCode).toBe(0);
  });

  test('--wait follows the events, and a contract that failed is exit code 1', async () => {
    let looks = 0;
    const ran = await against(
      ({ method, path }) => {
        if (method === 'POST') return { status: 201, data: RENTED };
        if (path.endsWith('/events'))
          return {
            raw: ': hello\n\nevent: contract\ndata: {}\n\n',
            headers: { 'content-type': 'text/event-stream' },
          };
        looks += 1;
        return {
          data:
            looks === 1
              ? aContractView()
              : aContractView({ phase: 'Failed', message: 'It could not be built.' }),
        };
      },
      'rent',
      'acme/vps-small',
      '--wait',
    );
    expect(ran.stdout).toMatch(/Failed {8}It could not be built\.\n$/);
    expect(ran.exitCode).toBe(1);
  });
});

describe('lists', () => {
  test('contracts are a table in the words of people; control characters are made visible', async () => {
    const clock = fakeClock('2026-01-02T12:00:00Z');
    facade = await openFacade(
      () => ({
        data: [
          aContractView({ ...ACTIVE, displayName: 'my\u001b[2Jbox' }),
          aContractView({ contractId: 'd'.repeat(32), phase: 'Cancelled' }),
        ],
      }),
      clock,
    );
    const ran = await dcm(home, ['contracts', '--api-url', facade.url], { clock });
    expect(ran.stdout.split('\n')).toEqual([
      'ID        NAME       PHASE   OFFERING        ADDRESS          ENDS    AGE',
      'c1d09e44  my␛[2Jbox  Active  acme/vps-small  198.51.100.7:22  in 29d  24h',
      '',
    ]);
    expect(ran.stderr).toBe('1 that ended: dcm contracts --all\n');
  });

  test('follow the Link header from page to page, on the same server only', async () => {
    const id = (digit: string) => aContractView({ contractId: digit.repeat(32) });
    const ran = await against(
      ({ query }) =>
        query['cursor']
          ? { data: [id('b')] }
          : {
              data: [id('a')],
              headers: { link: '<http://elsewhere.example/api/v1/contracts?cursor=x%2By>; rel="next"' },
            },
      'contracts',
      '--json',
    );
    expect(JSON.parse(ran.stdout).map(({ contractId }: { contractId: string }) => contractId[0])).toEqual([
      'a',
      'b',
    ]);
    expect(facade?.seen[1]?.query).toEqual({ cursor: 'x+y' });
  });

  test('offerings need no key', async () => {
    facade = await openFacade(() => ({ data: [] }));
    const ran = await dcm(home, ['offerings', '--country', 'de', '--api-url', facade.url], { env: {} });
    expect(ran).toEqual({ exitCode: 0, stdout: 'Nothing for sale fits that.\n', stderr: '' });
    expect(facade.seen[0]).toMatchObject({ keyid: undefined, query: { country: 'DE', limit: '200' } });
  });
});

describe('providers', () => {
  const pool = `/api/v1/providers/{pk}/pools/eu/setup-tokens`;

  test('a setup token is one line to copy', async () => {
    const setupCommand = 'curl -sSf https://api.example.com/setup | sh -s -- --token apt_europe_5d0f';
    const clock = fakeClock();
    facade = await openFacade(
      () => ({
        status: 201,
        data: {
          token: 't',
          tokenId: 'tok',
          poolId: 'eu',
          label: null,
          expiresAt: '2026-01-02T00:00:00.000Z',
          setupCommand,
        },
      }),
      clock,
    );
    const ran = await dcm(home, ['token', 'create', 'eu', '--label', 'node-6', '--api-url', facade.url], {
      clock,
    });
    expect(ran.stdout).toBe(`  ${setupCommand}\n`);
    expect(ran.stderr).toBe('Run this on the new host within 24 hours; it works once:\n\n');
    expect(facade.seen[0]).toMatchObject({
      path: pool.replace('{pk}', home.key.publicKey),
      body: { label: 'node-6' },
    });
  });

  test('where registration is closed the way by kubectl is named', async () => {
    const ran = await against(() => aProblem(403, 'RegistrationClosed'), 'provider', 'create', 'acme');
    expect(ran.stderr).toContain('dcm provider create acme --yaml | kubectl apply -f -');
    expect(ran.exitCode).toBe(1);
  });

  test('--yaml prints what kubectl applies', async () => {
    const { stdout } = await dcm(home, [
      'provider',
      'create',
      'acme',
      '--display-name',
      'Acme: Hosting',
      '--yaml',
    ]);
    expect(parseAllDocuments(stdout).map((document) => document.toJS())).toMatchObject([
      { kind: 'Namespace', metadata: { name: 'acme' } },
      {
        kind: 'Provider',
        spec: { publicKey: home.key.publicKey, displayName: 'Acme: Hosting', namespace: 'acme' },
      },
    ]);
  });

  test('revoking asks first, and where nobody can be asked it wants --yes', async () => {
    const agent = {
      agentName: 'node-3',
      agentPubkey: 'f'.repeat(64),
      label: 'node-3',
      poolId: 'eu',
      permissions: [],
      online: true,
      version: '1.0.0',
      activeContracts: 0,
      lastSeenAt: null,
      cordoned: false,
      draining: false,
      revoked: false,
      problem: null,
    };
    const answer = ({ method }: Seen): Answer => ({ data: method === 'GET' ? [agent] : {} });
    expect(await against(answer, 'agent', 'revoke', 'node-3')).toMatchObject({ exitCode: 2 });
    await facade?.close();
    expect(await against(answer, 'agent', 'revoke', 'ffff', '--yes')).toMatchObject({ exitCode: 0 });
    expect(facade?.seen.at(-1)).toMatchObject({
      method: 'DELETE',
      path: expect.stringMatching(/agents\/f{64}$/),
    });
  });
});

describe('call', () => {
  test('signs body and query, and fills in the own key', async () => {
    facade = await openFacade(({ body }) => ({ data: body }));
    const argv = ['call', 'post', '/api/v1/providers/{pk}/x?a=b%20c', '-', '--api-url', facade.url];
    const ran = await dcm(home, argv, { input: '{"note":"ü"}' });
    expect(JSON.parse(ran.stdout)).toEqual({ success: true, data: { note: 'ü' } });
    expect(facade.seen[0]).toMatchObject({ keyid: home.key.publicKey, query: { a: 'b c' } });
  });

  test('a refusal is printed whole, with exit code 1', async () => {
    const ran = await against(() => aProblem(422, 'UnknownField'), 'call', 'GET', '/api/v1/contracts');
    expect(JSON.parse(ran.stdout)).toMatchObject({ code: 'UnknownField' });
    expect(ran.exitCode).toBe(1);
  });

  test.each(['//elsewhere.example/api', 'api/v1/contracts', 'http://elsewhere.example/'])(
    '%s is no path',
    async (path) => {
      const ran = await against(() => ({ data: 1 }), 'call', 'GET', path);
      expect(ran.exitCode).toBe(2);
      expect(facade?.seen).toEqual([]);
    },
  );
});

describe('keys and settings', () => {
  test('keygen makes a file for its owner only and never overwrites one', async () => {
    const file = join(home.folder, 'new', 'a.key');
    const made = await dcm(home, ['keygen', '--out', file]);
    expect(made.stdout).toMatch(/^[0-9a-f]{64}\n$/);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const seed = await readFile(file, 'utf8');
    const again = await dcm(home, ['keygen', '--out', file]);
    expect(again).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringContaining('exists already'),
    });
    expect(await readFile(file, 'utf8')).toBe(seed);
  });

  test('npm start leaves address and keys in the checkout; relative paths count from there', async () => {
    facade = await openFacade(() => ({ data: [] }));
    const folder = join(home.folder, '.dcmarket');
    await mkdir(folder);
    await writeFile(
      join(folder, 'dcm.json'),
      JSON.stringify({ apiUrl: facade.url, keys: { tenant: '../test.key' } }),
    );
    const ran = await dcm(home, ['contracts'], { env: {} });
    expect(ran.exitCode).toBe(0);
    expect(facade.seen[0]?.keyid).toBe(home.key.publicKey);
    await facade.close();
    const other = await dcm(home, ['contracts'], { env: { DCM_API_URL: facade.url } });
    expect(other).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining(`nothing listens at ${facade.url}`),
    });
    await writeFile(join(folder, 'dcm.json'), '{"apiUrl":"ftp://x"}');
    expect(await dcm(home, ['contracts'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('apiUrl'),
    });
    await writeFile(join(folder, 'dcm.json'), '{}');
    facade = undefined;
  });

  const files: readonly Readonly<{ name: string; text?: string; mode?: number; want: RegExp }>[] = [
    { name: 'no such file', want: /there is no key .*missing\n.*dcm keygen/ },
    {
      name: 'readable by others',
      text: '0'.repeat(64),
      mode: 0o644,
      want: /can be read by others \(mode 644\)\n.*chmod 600/,
    },
    { name: 'not hex', text: 'g'.repeat(64), mode: 0o600, want: /not 64 lower-case hex/ },
    { name: 'too short', text: '0'.repeat(62), mode: 0o600, want: /not 64 lower-case hex/ },
  ];
  test.each(files)('a key file that is $name is named with what to do', async ({ text, mode, want }) => {
    const file = join(home.folder, text === undefined ? 'missing' : 'bad.key');
    if (text !== undefined) await writeFile(file, text, { mode: 0o600 });
    if (mode !== undefined) await chmod(file, mode);
    const ran = await dcm(home, ['contracts', '--key', file]);
    expect(ran).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringMatching(want) });
  });
});

describe('wrong usage is exit code 2 and says what is allowed', () => {
  const cases: readonly (readonly [argv: string[], want: RegExp])[] = [
    [['bogus'], /unknown command 'bogus'/],
    [['rent'], /missing required argument 'offering'/],
    [['rent', 'a', '--hours', '0'], /whole number from 1 to 87600/],
    [['rent', 'a', '--hours', '1e3'], /whole number from 1 to 87600/],
    [['rent', 'a', '--ssh-key', '/no/such'], /there is no file \/no\/such/],
    [['offerings', '--region', 'mars'], /It must be one of europe, /],
    [['pool', 'create', 'x', '--location', 'europe', '--type', 'vmware'], /It must be one of proxmox, /],
    [['provider', 'create', 'Not A Name'], /lower case letters, digits and dashes/],
    [['call', 'FETCH', '/'], /It must be one of GET, /],
    [['call', 'POST', '/api/v1/contracts', '{oops'], /the body is not JSON/],
    [['call', 'POST', '/api/v1/contracts', '@/no/such'], /there is no file \/no\/such/],
    [['contracts', '--api-url', 'example.com'], /the address of the API is not valid/],
  ];
  test.each(cases)('%j', async (argv, want) => {
    const ran = await dcm(home, argv);
    expect(ran).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringMatching(want) });
  });
});

describe('refusals', () => {
  test('say what is wrong, each field, and what to do; --json has the code', async () => {
    const errors = [
      { field: 'durationHours', message: 'must be at least 1' },
      { field: 'name', message: 'must be shorter' },
    ];
    const answer = (): Answer => aProblem(422, 'ValidationFailed', { errors });
    const ran = await against(answer, 'cancel', 'a'.repeat(32));
    expect(ran.stderr).toBe(
      'dcm: It is ValidationFailed.\n  durationHours: must be at least 1\n  name: must be shorter\n     Do it another way.\n',
    );
    await facade?.close();
    const json = await against(answer, 'cancel', 'a'.repeat(32), '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ code: 'ValidationFailed', errors });
    expect(json.exitCode).toBe(1);
  });

  test('an answer that no dcmarket gives is told as such', async () => {
    const ran = await against(() => ({ status: 502, raw: '<html>' }), 'contracts');
    expect(ran).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('answered 502') });
  });
});
