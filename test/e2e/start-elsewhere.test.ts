/** `npm start` with what is given to it, in a folder that only root can enter, and with what cannot work. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabaseIn } from '../../dev/postgres/database-url.ts';
import { systemFolderFor } from '../../dev/postgres/home.ts';
import { freePort } from '../../dev/processes/ports.ts';
import { openWorld, type World } from '../world/world.ts';
import { type Checkout, copyCheckout, type Ended, leftBehind } from './checkout.ts';

let world: World;
let checkout: Checkout;
let port: string;

beforeAll(async () => {
  world = await openWorld();
  checkout = await copyCheckout(join(world.folder, 'checkout'));
  port = String(await freePort());
});
afterAll(async () => {
  await checkout?.remove();
  await world?.close();
});

const start = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  checkout.npm('start', args, env).ended;

test.each([
  {
    name: 'an unknown option',
    args: ['--bogus'],
    says: /^error: unknown option '--bogus'\nTry --help\.\n$/,
  },
  {
    name: 'a port that is none',
    args: ['--port', '70000'],
    says: /a port is a whole number from 1 to 65535/,
  },
  {
    name: 'an option that npm kept for itself',
    args: [],
    env: { npm_config_once: 'true' },
    says: /why: npm kept --once for itself\n {2}what to do: Write -- before it: npm start -- --once\n/,
  },
  {
    name: 'a kubeconfig that is not there',
    args: ['--kubeconfig', 'nowhere/config'],
    says: /why: there is no file \/.*\/checkout\/nowhere\/config\n {2}what to do: Give --kubeconfig the path/,
  },
  {
    name: 'a database that nobody serves',
    args: [],
    env: { DATABASE_URL: 'postgres://me:secret@127.0.0.1:1/market' },
    says: /PostgreSQL failed +\d[\s\S]*why: no PostgreSQL answers at postgres:\/\/me:\*\*\*@127\.0\.0\.1:1\/market: connect ECONNREFUSED.*\n {2}what to do: Start it or correct DATABASE_URL/,
  },
])('$name is named, with what to do', async ({ args, env = {}, says }) => {
  const { code, output } = await start(['--port', port, ...args], env);
  expect(output).toMatch(says);
  expect(output).not.toMatch(/secret|\n {4}at /); // no password, no stack trace
  expect({ code, left: leftBehind(checkout) }).toEqual({ code: 1, left: [] });
});

test('a busy port is named with its owner and the option that chooses another', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  const busy = typeof address === 'object' ? address?.port : undefined;
  const { code, output } = await start(['--port', String(busy)]);
  server.close();
  expect(output).toMatch(
    new RegExp(
      `why: port ${busy} is taken by process ${process.pid} \\(.*\\)\n {2}what to do: .* choose another port with --port\\.`,
    ),
  );
  expect({ code, left: leftBehind(checkout) }).toEqual({ code: 1, left: [] });
});

test('--kubeconfig and DATABASE_URL: the whole of --once on what is there already', async () => {
  const [{ kubeconfig, processes }, postgres] = await Promise.all([
    world.startControlPlane({ withCrds: false }),
    world.startPostgres(),
  ]);
  const database = await createDatabaseIn(postgres.url, 'given');
  const args = ['--port', port, '--kubeconfig', kubeconfig, '--once'];
  const { code, output } = await start(args, { DATABASE_URL: database });
  expect({ code, left: leftBehind(checkout), output }).toMatchObject({ code: 0, left: [] });
  expect(output).toMatch(/PostgreSQL 18 +\d+\.\d s {3}of DATABASE_URL/);
  expect(output).not.toContain('kube-apiserver');
  expect(output).toMatch(/logged in: "hello from dc-/);
  expect(existsSync(checkout.paths.postgres)).toBe(false);
  expect(processes.apiserver.hasExited()).toBe(false); // not ours to stop
});

test.runIf(process.getuid?.() === 0)('a checkout that only root can enter', async () => {
  const hidden = await copyCheckout(join(world.folder, 'hidden'), { isHidden: true });
  const { state, postgres } = hidden.paths;
  const outside = [systemFolderFor(state), systemFolderFor(postgres)];
  try {
    const { code, output } = await hidden.npm('start', ['--port', port, '--once']).ended;
    expect({ code, left: leftBehind(hidden), output }).toMatchObject({ code: 0, left: [] });
    expect(output).toMatch(/logged in: "hello from dc-/);
    expect(outside.map((folder) => existsSync(folder))).toEqual([true, true]);
    expect(statSync(join(systemFolderFor(postgres), 'home')).mode & 0o777).toBe(0o700);
    const reset = await hidden.npm('reset').ended;
    expect(reset.code).toBe(0);
    expect(outside.map((folder) => existsSync(folder))).toEqual([false, false]);
    expect(readdirSync(state).filter((name) => name !== 'worlds')).toEqual([]);
  } finally {
    await hidden.remove();
  }
});
