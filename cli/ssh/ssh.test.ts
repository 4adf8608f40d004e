/** Host keys against a real SSH server in this process, and the command line that ssh is given. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ContractView } from '../../crds/wire/market.ts';
import { aContractView, makeSshKey } from '../test-facade.ts';
import { knownHostsLine, loginOf, sshArguments } from './command.ts';
import { parseHostKey, verifyHostKey } from './host-key.ts';

const { generateKeyPairSync, parseKey } = ssh2.utils;
const ed25519 = makeSshKey();
const rsa = generateKeyPairSync('rsa', { bits: 2048 });

function fingerprintOf(publicKey: string): string {
  const key = parseKey(publicKey);
  if (key instanceof Error) throw key;
  return parseHostKey(key.getPublicSSH()).fingerprint;
}

describe('host key', () => {
  const server = new ssh2.Server({ hostKeys: [ed25519.private, rsa.private] }, (client) =>
    client.on('error', () => {}),
  );
  let port: number;
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port; // it listens on TCP
  });
  afterAll(() => server.close());

  test.each([
    ['ssh-ed25519', ed25519.public],
    ['ssh-rsa', rsa.public],
  ])('finds the key that was reported among all that the server has: %s', async (type, publicKey) => {
    const key = await verifyHostKey({ host: '127.0.0.1', port }, fingerprintOf(publicKey));
    expect(key.type).toBe(type);
    expect(publicKey).toContain(key.base64);
  });

  test('another key is refused, with what was found and what was wanted', () =>
    expect(verifyHostKey({ host: '127.0.0.1', port }, 'SHA256:other')).rejects.toMatchObject({
      kind: 'Refused',
      message: expect.stringContaining(`${fingerprintOf(ed25519.public)} (ssh-ed25519)`),
    }));

  test('nobody there is a network failure', () =>
    expect(verifyHostKey({ host: '127.0.0.1', port: 1 }, 'SHA256:x')).rejects.toMatchObject({
      kind: 'Network',
    }));
});

const view = (access: Record<string, unknown>): ContractView =>
  aContractView({
    access: {
      host: '198.51.100.7',
      port: 22,
      user: 'root',
      hostKeyFingerprint: null,
      verifiedAt: null,
      ...access,
    },
  }) as ContractView; // literal types got lost in the builder

test('pins the key, quotes the file and ends the options before the host', () => {
  const login = loginOf(view({ port: 2222 }));
  const args = sshArguments({
    login,
    knownHostsFile: '/my home/100%',
    identity: 'id',
    remoteCommand: ['uname', '-a'],
  });
  expect(args).toContain('UserKnownHostsFile="/my home/100%%"');
  expect(args).toContain('StrictHostKeyChecking=yes');
  expect(args.slice(-4)).toEqual(['--', '198.51.100.7', 'uname', '-a']);
  const key = { type: 'ssh-ed25519', base64: 'AAAA', fingerprint: '' };
  expect(knownHostsLine(login, key)).toBe('[198.51.100.7]:2222 ssh-ed25519 AAAA\n');
});

test.each([
  { host: '-oProxyCommand=x' },
  { host: 'a b' },
  { host: 'a$(x)' },
  { user: '-l' },
  { user: 'a;b' },
])('an address that is none is never given to ssh: %j', (access) =>
  expect(() => loginOf(view(access))).toThrow('the address that the provider reported is none'),
);

test('a machine that has no address yet is refused with why', () =>
  expect(() => loginOf(view({ host: null }))).toThrow(
    'is Accepted and has no address: No machine with 16 CPU',
  ));
