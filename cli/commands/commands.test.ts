/** Commands against a server that verifies what was signed: what is sent, and what a person reads. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { fakeClock } from '../../lib/fake-clock.ts';
import { ACTIVE, type Answer, aContractView, aProblem, dcm, type Ran, type Seen } from '../test-facade.ts';
import { useTerminal } from '../test-terminal.ts';

const terminal = useTerminal({
  prepare: async ({ folder }) => {
    await mkdir(join(folder, '.ssh'));
    await writeFile(join(folder, '.ssh', 'id_ed25519.pub'), 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me@host\n');
  },
});
const against = terminal.run;

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
    expect(terminal.seen()).toMatchObject([
      {
        method: 'POST',
        path: '/api/v1/contracts',
        keyid: terminal.home().key.publicKey,
        body: {
          offeringId: 'acme/vps-small',
          durationHours: 48,
          sshPublicKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me@host',
        },
      },
    ]);
  });

  test.each([
    ['--apart', 'Preferred'],
    ['--apart-or-wait', 'Required'],
  ])('%s keeps it from others of its group: %s', async (option, mode) => {
    await against(() => ({ status: 201, data: RENTED }), 'rent', 'acme/vps-small', option, 'db');
    expect(terminal.seen()).toMatchObject([{ body: { antiAffinity: { group: 'db', mode } } }]);
  });

  test('what is no group, or both at once, is refused before anything is sent', async () => {
    for (const options of [
      ['--apart', 'two words'],
      ['--apart', 'db', '--apart-or-wait', 'db'],
    ])
      expect((await against(() => 'HangUp', 'rent', 'acme/vps-small', ...options)).exitCode).toBe(2);
    expect(terminal.seen()).toEqual([]);
  });

  test('repeats the same order under one Idempotency-Key, signed anew, until it is answered', async () => {
    const answers: (Answer | 'HangUp')[] = [
      'HangUp',
      { ...aProblem(503, 'ShuttingDown'), headers: { 'retry-after': '0' } },
      { status: 201, data: RENTED },
    ];
    const ran = await against(() => answers.shift() ?? 'HangUp', 'rent', 'acme/vps-small');
    expect(ran.exitCode).toBe(0);
    const seen = terminal.seen();
    expect(seen).toHaveLength(3);
    expect(new Set(seen.map(({ idempotencyKey }) => idempotencyKey))).toEqual(new Set([expect.any(String)]));
    expect(new Set(seen.map(({ nonce }) => nonce)).size).toBe(3);
  });

  test('--wait prints each step once and ends at Active, though the stream of events is broken', async () => {
    const views = [aContractView(), aContractView(), aContractView({ ...ACTIVE })];
    const clock = fakeClock();
    const facade = await terminal.open(({ method, path }) => {
      if (method === 'POST') return { status: 201, data: RENTED };
      if (path.endsWith('/events')) return aProblem(404, 'RouteNotFound');
      return { data: views.length > 1 ? views.shift() : views[0] };
    }, clock);
    const running = dcm(terminal.home(), ['rent', 'acme/vps-small', '--wait', '--api-url', facade.url], {
      clock,
    });
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
    const facade = await terminal.open(
      () => ({
        data: [
          aContractView({ ...ACTIVE, displayName: 'my\u001b[2Jbox' }),
          aContractView({ contractId: 'd'.repeat(32), phase: 'Cancelled' }),
        ],
      }),
      clock,
    );
    const ran = await dcm(terminal.home(), ['contracts', '--api-url', facade.url], { clock });
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
    expect(terminal.seen()[1]?.query).toEqual({ cursor: 'x+y' });
  });

  test('offerings need no key', async () => {
    const facade = await terminal.open(() => ({ data: [] }));
    const ran = await dcm(terminal.home(), ['offerings', '--country', 'de', '--api-url', facade.url], {
      env: {},
    });
    expect(ran).toEqual({ exitCode: 0, stdout: 'Nothing for sale fits that.\n', stderr: '' });
    expect(facade.seen[0]).toMatchObject({ keyid: undefined, query: { country: 'DE', limit: '200' } });
  });
});

describe('providers', () => {
  const pool = `/api/v1/providers/{pk}/pools/eu/setup-tokens`;

  test('a setup token is one line to copy', async () => {
    const setupCommand = 'curl -sSf https://api.example.com/setup | sh -s -- --token apt_europe_5d0f';
    const clock = fakeClock();
    const facade = await terminal.open(
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
    const ran = await dcm(
      terminal.home(),
      ['token', 'create', 'eu', '--label', 'node-6', '--api-url', facade.url],
      {
        clock,
      },
    );
    expect(ran.stdout).toBe(`  ${setupCommand}\n`);
    expect(ran.stderr).toBe('Run this on the new host within 24 hours; it works once:\n\n');
    expect(facade.seen[0]).toMatchObject({
      path: pool.replace('{pk}', terminal.home().key.publicKey),
      body: { label: 'node-6' },
    });
  });

  test('where registration is closed the way by kubectl is named', async () => {
    const ran = await against(() => aProblem(403, 'RegistrationClosed'), 'provider', 'create', 'acme');
    expect(ran.stderr).toContain('dcm provider create acme --yaml | kubectl apply -f -');
    expect(ran.exitCode).toBe(1);
  });

  test('--yaml prints what kubectl applies', async () => {
    const { stdout } = await dcm(terminal.home(), [
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
        spec: { publicKey: terminal.home().key.publicKey, displayName: 'Acme: Hosting', namespace: 'acme' },
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
      free: {},
      lastSeenAt: null,
      cordoned: false,
      draining: false,
      revoked: false,
      problem: null,
    };
    const answer = ({ method }: Seen): Answer => ({ data: method === 'GET' ? [agent] : {} });
    expect(await against(answer, 'agent', 'revoke', 'node-3')).toMatchObject({ exitCode: 2 });
    expect(await against(answer, 'agent', 'revoke', 'ffff', '--yes')).toMatchObject({ exitCode: 0 });
    expect(terminal.seen().at(-1)).toMatchObject({
      method: 'DELETE',
      path: expect.stringMatching(/agents\/f{64}$/),
    });
  });
});
