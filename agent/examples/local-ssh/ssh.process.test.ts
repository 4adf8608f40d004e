import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { utils } from 'ssh2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CreatedInstance } from '../../provisioner/provisioner.ts';
import {
  aTenantsRequest,
  aWorld,
  connect,
  exec,
  isRoot,
  run,
  shell,
  signal,
  ssh,
  type World,
} from './testing.ts';

let world: World;
let instance: CreatedInstance;
beforeAll(async () => {
  world = await aWorld();
  instance = await world.provisioner.create(aTenantsRequest('1'), { signal });
});
afterAll(() => world.remove());

describe('the way in', () => {
  test('is open to the tenant’s key', async () => {
    expect(await ssh(instance, 'echo "$USER in $PWD"')).toBe(
      `tenant in ${world.root}/${instance.externalId}/home`,
    );
  });

  const strangers = {
    'another key': { privateKey: utils.generateKeyPairSync('ed25519').private },
    'a password': { privateKey: undefined, password: 'tenant' },
    'keyboard-interactive': { privateKey: undefined, password: undefined, tryKeyboard: true },
    nothing: { privateKey: undefined },
  };
  for (const [name, options] of Object.entries(strangers))
    test(`is closed to ${name}`, async () => {
      // exactOptionalPropertyTypes: ssh2 takes an undefined member like a missing one.
      const config = Object.fromEntries(Object.entries(options).map(([key, value]) => [key, value]));
      await expect(connect(instance, config)).rejects.toThrow('All configured authentication methods failed');
    });

  test('shows the host key that was reported', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const hostVerifier = (hash: string): boolean => {
      resolve(`SHA256:${Buffer.from(hash, 'hex').toString('base64').replaceAll('=', '')}`);
      return true;
    };
    await using _client = await connect(instance, { hostHash: 'sha256', hostVerifier });
    expect(await promise).toBe(instance.hostKeyFingerprint);
  });

  test('leads nowhere else: no forwarding of ports or agents, no subsystem', async () => {
    await using client = await connect(instance);
    const refused = (start: (done: (error?: Error) => void) => unknown): Promise<unknown> =>
      new Promise((resolve) => start((error) => resolve(error)));
    expect(await refused((done) => client.forwardOut('127.0.0.1', 1, '127.0.0.1', 22, done))).toBeInstanceOf(
      Error,
    );
    expect(await refused((done) => client.forwardIn('127.0.0.1', 0, done))).toBeInstanceOf(Error);
    expect(await refused((done) => client.subsys('sftp', done))).toBeInstanceOf(Error);
  });

  test('survives nonsense', async () => {
    const socket = createConnection(instance.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.end(Buffer.concat([Buffer.from('SSH-2.0-x\r\n'), randomBytes(4096)]));
    await once(socket.resume(), 'close');
    expect(await ssh(instance, 'echo still here')).toBe('still here');
  });
});

describe('a command', () => {
  test('has its own stdout, stderr and exit code', async () => {
    await using client = await connect(instance);
    const ran = await run(client, 'echo out; echo err >&2; exit 7');
    expect(ran).toMatchObject({ stdout: 'out\n', stderr: 'err\n', code: 7 });
  });
  test('gets stdin and gives stdout byte by byte', async () => {
    await using client = await connect(instance);
    const bytes = randomBytes(1_000_000);
    const { stdout } = await run(client, 'cat', bytes);
    expect(stdout === bytes.toString('latin1')).toBe(true);
  });
  test('may be one of many in one connection, but not of any number at a time', async () => {
    await using client = await connect(instance);
    for (let round = 0; round < 20; round++) expect(await run(client, 'true')).toMatchObject({ code: 0 });
    const sessions = await Promise.allSettled(Array.from({ length: 20 }, () => exec(client, 'cat')));
    expect(sessions.filter(({ status }) => status === 'fulfilled')).toHaveLength(16);
  });
  test('that is killed says by which signal', async () => {
    await using client = await connect(instance);
    expect(await run(client, 'kill -TERM $$')).toMatchObject({ signal: 'SIGTERM' });
  });
  test('can be sent a signal', async () => {
    await using client = await connect(instance);
    const { channel, output, done } = await exec(client, 'echo ready; exec sleep 60');
    await expect.poll(output).toBe('ready\n');
    channel.signal('INT');
    expect(await done).toMatchObject({ signal: 'SIGINT' });
  });
  test('ends when its client goes away', async () => {
    const client = await connect(instance);
    const { output } = await exec(client, 'echo $$; exec sleep 61');
    await expect.poll(output).toMatch(/\d+\n/);
    client.destroy();
    await expect
      .poll(() => ssh(instance, `kill -0 ${output().trim()} 2>&1; true`))
      .toMatch(/No such process/);
  });
});

describe('a shell', () => {
  test('is a real one, in a terminal that can be resized, and hands on its exit code', async () => {
    await using client = await connect(instance);
    const { channel, output, done } = await shell(client, { term: 'xterm-256color', rows: 30, cols: 100 });
    channel.write('echo "$TERM is $(stty size) at $(tty)"; test -O "$(tty)" && echo mine""\n');
    await expect.poll(output).toMatch(/xterm-256color is 30 100 at \/dev\/\S+\r?\nmine/);
    channel.setWindow(50, 120, 0, 0);
    channel.write('stty size\n');
    await expect.poll(output).toContain('50 120');
    channel.write('exit 4\n');
    expect(await done).toMatchObject({ code: 4 });
  });
});

describe('the tenant', () => {
  test('sees nothing of the environment and the files of those who run it', async () => {
    const lines = (await ssh(instance, 'env; ls /proc/$$/fd | sed "s/^/fd /"')).split('\n');
    const names = lines.map((line) => line.split('=')[0]).sort();
    const environment = [
      'DC_INSTANCE',
      'DC_INSTANCE_FOLDER',
      'HOME',
      'LANG',
      'LOGNAME',
      'PATH',
      'PWD',
      'SHELL',
      'SHLVL',
      'USER',
      '_',
    ];
    expect(names).toEqual([...environment, 'fd 0', 'fd 1', 'fd 2'].sort());
  });
  test.runIf(isRoot)('is a user without rights when root runs it', async () => {
    const [uid, groups] = (await ssh(instance, 'id -u; id -G')).split('\n');
    expect(Number(uid)).toBeGreaterThanOrEqual(20_000);
    expect(groups).toBe(uid);
    const folder = `${world.root}/${instance.externalId}`;
    expect(
      await ssh(instance, `cat ${folder}/host_key ${folder}/instance.json 2>&1; ls ${folder} 2>&1`),
    ).toMatch(/host_key: Permission denied\n.*instance.json: Permission denied\n.*Permission denied/);
  });
});
