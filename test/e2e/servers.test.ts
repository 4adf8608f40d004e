/** The servers of `npm start`: what survives a restart and a SIGKILL, and where they may live. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CoreV1Api } from '@kubernetes/client-node';
import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { startControlPlane } from '../../dev/control-plane/run.ts';
import { ensurePostgres } from '../../dev/postgres/ensure.ts';
import { findLeftovers, stopLeftovers } from '../../dev/processes/leftovers.ts';
import { systemClock } from '../../lib/clock.ts';
import { kubeConfig } from '../world/cluster.ts';
import { openWorld, testBinaries, testContext, type World } from '../world/world.ts';

const worlds: World[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

async function newWorld(): Promise<World> {
  const world = await openWorld();
  worlds.push(world);
  return world;
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('the control plane', () => {
  test('has the same address, certificates and data after a restart, and a user only its rights', async () => {
    const { folder, folders, context } = await newWorld();
    const options = { binaries: await testBinaries(), folder: join(folder, 'control-plane'), folders };
    const first = await startControlPlane(context, options);
    const kubeconfig = readFileSync(first.kubeconfig, 'utf8');
    const api = kubeConfig(first.kubeconfig).makeApiClient(CoreV1Api);
    await api.createNamespace({ body: { metadata: { name: 'kept' } } });
    const user = kubeConfig(await first.addUser({ name: 'agent-1', groups: ['agents'] })).makeApiClient(
      CoreV1Api,
    );
    await expect(user.readNamespace({ name: 'kept' })).rejects.toMatchObject({
      code: 403,
      body: expect.stringContaining('User \\"agent-1\\" cannot get'),
    });
    await first.stop();
    expect(findLeftovers(folders.run)).toEqual([]);

    const second = await startControlPlane(context, options);
    expect(second.url).toBe(first.url);
    expect(readFileSync(second.kubeconfig, 'utf8')).toBe(kubeconfig);
    expect(statSync(second.kubeconfig).mode & 0o777).toBe(0o600);
    expect((await api.readNamespace({ name: 'kept' })).metadata?.name).toBe('kept');
    await second.stop();
  });

  test('stops quickly while somebody watches', async () => {
    const world = await newWorld();
    const controlPlane = await world.startControlPlane({ withCrds: false });
    const { kubectl } = await testBinaries();
    const watch = spawn(kubectl, [`--kubeconfig=${controlPlane.kubeconfig}`, 'get', 'namespaces', '--watch']);
    await once(watch.stdout, 'data');
    const startedMs = systemClock.monotonicMs();
    await controlPlane.stop();
    watch.kill();
    expect(systemClock.monotonicMs() - startedMs).toBeLessThan(5_000);
  });

  test('says whose fault it is when etcd cannot start', async () => {
    const { folder, folders, context } = await newWorld();
    const binaries = { ...(await testBinaries()), etcd: '/bin/false' };
    const starting = startControlPlane(context, { binaries, folder: join(folder, 'control-plane'), folders });
    await expect(starting).rejects.toThrow('etcd ended with code 1');
    expect(findLeftovers(folders.run)).toEqual([]);
  });
});

describe('PostgreSQL', () => {
  test('keeps its data and its URL over a restart and over a SIGKILL', async () => {
    const { folder, folders, context } = await newWorld();
    const options = { folder: join(folder, 'postgres'), folders };
    const first = await ensurePostgres(context, options);
    await query(first.url, 'create table kept as select 42 as answer');
    await first.stop();
    const second = await ensurePostgres(context, options);
    expect(second.url).toBe(first.url);
    const [server] = findLeftovers(folders.run);
    process.kill(server?.pid ?? Number.NaN, 'SIGKILL');
    await stopLeftovers(folders.run, { clock: systemClock });
    const third = await ensurePostgres(context, options);
    expect(await query(third.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    expect(await query(third.url, 'show fsync')).toEqual([{ fsync: 'on' }]);
    await third.stop();
  });

  test('refuses a wrong password', async () => {
    const world = await newWorld();
    const { url } = await world.startPostgres();
    const wrong = new URL(url);
    wrong.password = 'guess';
    await expect(query(wrong.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
  });

  test('of DATABASE_URL is used as it is, and nothing is started', async () => {
    const given = await newWorld();
    const { url } = await given.startPostgres();
    const { folder, folders, context } = await newWorld();
    const env = { ...context.env, DATABASE_URL: url };
    const used = await ensurePostgres({ ...context, env }, { folder: join(folder, 'postgres'), folders });
    expect(used).toMatchObject({ url, source: 'DATABASE_URL', version: expect.stringMatching(/^18/) });
    await used.stop();
    expect(existsSync(join(folder, 'postgres'))).toBe(false);
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('of a DATABASE_URL that nobody answers is named, without the password', async () => {
    const env = { ...process.env, DATABASE_URL: 'postgres://me:secret@127.0.0.1:1/market' };
    const refused = ensurePostgres({ ...testContext(), env }, { folder: '', folders: { run: '', logs: '' } });
    const error = await refused.catch((cause: unknown) => String(cause));
    expect(error).toContain('no PostgreSQL answers at postgres://me:***@127.0.0.1:1/market');
    expect(error).not.toContain('secret');
  });
});
