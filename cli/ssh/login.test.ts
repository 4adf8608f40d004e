/** `dcm ssh` from argument to exit code: by the system's ssh where there is one, and without any. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import {
  ACTIVE,
  aContractView,
  dcm,
  type Facade,
  type Home,
  makeHome,
  makeSshKey,
  openFacade,
  type Ran,
} from '../test-facade.ts';
import { parseHostKey } from './host-key.ts';
import { openTerminal } from './terminal.ts';

const { parseKey } = ssh2.utils;
const hostKey = makeSshKey();
const userKey = makeSshKey();
const HAS_SSH = spawnSync('ssh', ['-V']).error === undefined;

const blobOf = (key: string): Buffer => {
  const parsed = parseKey(key);
  if (parsed instanceof Error) throw parsed;
  return parsed.getPublicSSH();
};
const FINGERPRINT = parseHostKey(blobOf(hostKey.public)).fingerprint;

let home: Home;
let facade: Facade;
let fingerprint = FINGERPRINT;
const commands: string[] = [];
const server = new ssh2.Server({ hostKeys: [hostKey.private] }, (client) => {
  client.on('error', () => {});
  client.on('authentication', (attempt) => {
    const isOurs = attempt.method === 'publickey' && attempt.key.data.equals(blobOf(userKey.public));
    if (isOurs && attempt.username === 'tenant') attempt.accept();
    else attempt.reject(['publickey']);
  });
  client.on('session', (accept) =>
    accept().on('exec', (acceptExec, _reject, { command }) => {
      commands.push(command);
      const channel = acceptExec();
      channel.write('');
      channel.exit(7);
      channel.end();
    }),
  );
});

beforeAll(async () => {
  home = await makeHome();
  await writeFile(join(home.folder, 'id'), userKey.private, { mode: 0o600 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens on TCP
  facade = await openFacade(() => {
    const access = {
      host: '127.0.0.1',
      port,
      user: 'tenant',
      hostKeyFingerprint: fingerprint,
      verifiedAt: null,
    };
    return { data: aContractView({ ...ACTIVE, access }) };
  });
});
afterAll(async () => {
  await facade.close();
  server.close();
  await home.remove();
});

function ssh(path: string, ...command: string[]): Promise<Ran> {
  const argv = ['ssh', aContractView().contractId, '-i', join(home.folder, 'id'), '--api-url', facade.url];
  const env = { DCM_KEY: home.keyFile, PATH: path, XDG_CONFIG_HOME: home.folder };
  return dcm(home, [...argv, '--', ...command], { env });
}

test.skipIf(!HAS_SSH)(
  "runs the command by the system's ssh, with the verified key and no other",
  async () => {
    fingerprint = FINGERPRINT;
    expect(await ssh(process.env['PATH'] ?? '', 'uname', '-a')).toMatchObject({ exitCode: 7 });
    expect(commands.pop()).toBe('uname -a');
  },
);

test('runs it without an ssh program too', async () => {
  fingerprint = FINGERPRINT;
  expect(await ssh('/nowhere', 'uname', '-a')).toEqual({ exitCode: 7, stdout: '', stderr: '' });
  expect(commands.pop()).toBe('uname -a');
});

test('logs in nowhere when the host key is another one', async () => {
  fingerprint = 'SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
  expect(await ssh(process.env['PATH'] ?? '', 'id')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('Do not log in'),
  });
  expect(commands).toEqual([]);
});

test('nor when another key is shown after the check', async () => {
  const { port } = server.address() as AddressInfo; // it listens on TCP
  const opening = openTerminal(
    {
      env: {},
      clock: systemClock,
      signal: new AbortController().signal,
      stdin: Readable.from([]),
      stdout: { write: () => true },
      stderr: { write: () => true },
      homeFolder: home.folder,
      programFolder: home.folder,
    },
    {
      login: { host: '127.0.0.1', port, user: 'tenant', fingerprint: undefined },
      hostKey: parseHostKey(blobOf(makeSshKey().public)),
      identity: join(home.folder, 'id'),
      remoteCommand: ['id'],
    },
  );
  await expect(opening).rejects.toMatchObject({ kind: 'Network' });
  expect(commands).toEqual([]);
});
