import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import ssh2 from 'ssh2';
import { afterEach, describe, expect, test } from 'vitest';
import { probeSsh } from './ssh-probe.ts';

const signal = new AbortController().signal;
const servers: Server[] = [];
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

/** A server that treats every connection so; answers its port. */
async function serving(treat: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    treat(socket);
  });
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}
const probe = (port: number, timeoutMs = 3000) => probeSsh({ host: '127.0.0.1', port, timeoutMs, signal });

describe('an SSH server', () => {
  test('is seen with its banner and host key, without a login', async () => {
    const key = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 });
    let logins = 0;
    const ssh = new ssh2.Server({ hostKeys: [key.private], ident: 'hello_1.0' }, (client) => {
      client.on('authentication', () => {
        logins += 1;
      });
      client.on('error', () => undefined);
    });
    const port = await serving((socket) => ssh.injectSocket(socket));
    const blob = Buffer.from(key.public.split(' ')[1] ?? '', 'base64');
    const hash = createHash('sha256').update(blob).digest('base64').replace(/=+$/, '');
    expect(await probe(port)).toEqual({ banner: 'SSH-2.0-hello_1.0', hostKeyFingerprint: `SHA256:${hash}` });
    expect(logins).toBe(0);
  });

  test('that cannot prove its key is not believed', async () => {
    const port = await serving((socket) => socket.write('SSH-2.0-liar\r\n\0\0\0\x0c\x0a\x14aaaaaaaaaa'));
    await expect(probe(port, 500)).rejects.toMatchObject({ name: 'SshProbeError', message: /key exchange/ });
  });
});

describe('anything else', () => {
  test('that does not listen', async () => {
    const port = await serving(() => undefined);
    await new Promise((resolve) => servers.pop()?.close(resolve));
    await expect(probe(port)).rejects.toMatchObject({ code: 'Refused', isRetryable: true });
  });
  test('that says nothing', async () => {
    const port = await serving(() => undefined);
    await expect(probe(port, 100)).rejects.toMatchObject({
      code: 'TimedOut',
      message: /said nothing within 0.1 s/,
    });
  });
  test('that hangs up', async () => {
    const port = await serving((socket) => socket.end());
    await expect(probe(port)).rejects.toMatchObject({ code: 'Closed', message: /without a word/ });
  });
  test('that speaks HTTP', async () => {
    const port = await serving((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await expect(probe(port)).rejects.toMatchObject({
      code: 'NotSsh',
      isRetryable: false,
      message: /"HTTP\/1.1 400/,
    });
  });
  test('that speaks without end', async () => {
    const port = await serving((socket) => socket.write('welcome\r\n'.repeat(1000)));
    await expect(probe(port)).rejects.toMatchObject({ code: 'NotSsh' });
  });
  test('that has no address', async () => {
    const probing = probeSsh({ host: 'nowhere.invalid', port: 22, timeoutMs: 3000, signal });
    await expect(probing).rejects.toMatchObject({ code: expect.stringMatching(/Unreachable|TimedOut/) });
  });
});

test('a probe ends with its caller’s reason', async () => {
  const port = await serving(() => undefined);
  const controller = new AbortController();
  const probing = probeSsh({ host: '127.0.0.1', port, timeoutMs: 3000, signal: controller.signal });
  const reason = new Error('shutting down');
  controller.abort(reason);
  await expect(probing).rejects.toBe(reason);
});
