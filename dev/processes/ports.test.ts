/** Ports: remembered from run to run, and a busy one is named with its owner. */
import { readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../control-plane/stand-ins.ts';
import { findPortOwner } from './port-owner.ts';
import { freePort, rememberedPort, requireFreePort } from './ports.ts';

let folder: string;
let file: string;
const servers: Server[] = [];
beforeEach(() => {
  folder = temporaryFolder();
  file = join(folder, 'state', 'ports.json');
});
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

async function occupy(port: number, host = '127.0.0.1'): Promise<void> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
}

test('the same name gets the same port again, another name another', async () => {
  const first = await rememberedPort(file, 'etcd');
  const other = await rememberedPort(file, 'postgres');
  expect(other).not.toBe(first);
  expect(await rememberedPort(file, 'etcd')).toBe(first);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ etcd: first, postgres: other });
});

test('a remembered port that somebody took is replaced', async () => {
  const first = await rememberedPort(file, 'etcd');
  await occupy(first);
  const second = await rememberedPort(file, 'etcd');
  expect(second).not.toBe(first);
  expect(await rememberedPort(file, 'etcd')).toBe(second);
});

test('a busy port is named with its owner and the flag that chooses another', async () => {
  const port = await freePort();
  await occupy(port);
  const refused = requireFreePort(port, '--port');
  await expect(refused).rejects.toMatchObject({
    code: 'PortTaken',
    message: expect.stringMatching(new RegExp(`^port ${port} is taken by process ${process.pid} \\(.*node`)),
    next: 'Stop it, or choose another port with --port.',
  });
});

test('a listener on every address of IPv6 counts too', async () => {
  const port = await freePort();
  await occupy(port, '::');
  expect(findPortOwner(port)).toMatchObject({ pid: process.pid });
});

test('a free port has no owner', async () => {
  const port = await freePort();
  expect(findPortOwner(port)).toBeUndefined();
  await requireFreePort(port, '--port');
});
