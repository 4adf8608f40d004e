/** Where the binaries come from: each source, their order, and a cache that is whole or not used at all. */
import { appendFileSync, existsSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cacheFolder } from './cache.ts';
import { ensureControlPlane } from './ensure.ts';
import { serveArchive, temporaryFolder, testContext, writeCompiler, writeStandIns } from './stand-ins.ts';
import { KUBERNETES_VERSION } from './versions.ts';

let folder: string;
let cacheRoot: string;
beforeEach(() => {
  folder = temporaryFolder();
  cacheRoot = join(folder, 'cache');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('each source', () => {
  test('KUBEBUILDER_ASSETS wins over everything', async () => {
    writeStandIns(cacheFolder(cacheRoot));
    const assets = writeStandIns(join(folder, 'assets'), '1.35.0');
    const found = await ensureControlPlane({ ...testContext({ KUBEBUILDER_ASSETS: assets }), cacheRoot });
    expect(found).toMatchObject({ source: 'KUBEBUILDER_ASSETS', folder: assets, version: '1.35.0' });
  });

  test('a KUBEBUILDER_ASSETS without etcd is passed over', async () => {
    writeStandIns(cacheFolder(cacheRoot));
    const assets = writeStandIns(join(folder, 'assets'));
    rmSync(join(assets, 'etcd'));
    const found = await ensureControlPlane({ ...testContext({ KUBEBUILDER_ASSETS: assets }), cacheRoot });
    expect(found.source).toBe('cache');
  });

  test('the archive is downloaded, checked, unpacked and cached', async () => {
    const server = await serveArchive();
    const context = testContext({ DCMARKET_ENVTEST_INDEX: server.index });
    const first = await ensureControlPlane({ ...context, cacheRoot });
    const second = await ensureControlPlane({ ...context, cacheRoot });
    server.close();
    expect(first).toMatchObject({
      source: 'download',
      folder: cacheFolder(cacheRoot),
      version: KUBERNETES_VERSION,
    });
    expect(second).toMatchObject({ source: 'cache', folder: first.folder });
    expect(server.requests).toHaveLength(2);
    expect(readdirSync(first.folder).sort()).toEqual(['complete.json', 'etcd', 'kube-apiserver', 'kubectl']);
    expect(context.reports.join('\n')).toMatch(/downloading .* MB/);
  });

  test('another patch of the same minor version will do for a download', async () => {
    const server = await serveArchive({ version: '1.36.0' });
    const found = await ensureControlPlane({
      ...testContext({ DCMARKET_ENVTEST_INDEX: server.index }),
      cacheRoot,
    });
    server.close();
    expect(found).toMatchObject({ source: 'download', version: '1.36.0' });
  });

  test('the compiler builds all three, and says how far it is', async () => {
    const { go, builds } = writeCompiler(folder);
    const context = testContext({ DCMARKET_GO: go });
    const found = await ensureControlPlane({ ...context, cacheRoot });
    expect(found).toMatchObject({
      source: 'build',
      folder: cacheFolder(cacheRoot),
      version: KUBERNETES_VERSION,
    });
    expect(builds()).toBe(3);
    expect(context.reports.at(-1)).toMatch(
      /^etcd \d+ MB, kubectl \d+ MB; building kube-apiserver \(3 of 3\), 1 packages compiled, 1 modules fetched$/,
    );
  });
});

describe('what is refused', () => {
  test('an archive that is not the one of the index', async () => {
    const server = await serveArchive({ digest: 'ab'.repeat(64) });
    const context = testContext({ DCMARKET_ENVTEST_INDEX: server.index });
    const refused = ensureControlPlane({ ...context, cacheRoot, sources: ['download'] });
    await expect(refused).rejects.toThrow(/has SHA-512 .*…, not abababababab…/);
    server.close();
    expect(existsSync(cacheFolder(cacheRoot))).toBe(false);
  });

  const compilers = [
    {
      name: 'too old to fetch a newer one',
      given: { version: 'go1.20.3' },
      want: /is go1\.20\.3; 1\.26 is needed/,
    },
    {
      name: 'forbidden to',
      given: { version: 'go1.24.0', toolchain: 'local' },
      want: /GOTOOLCHAIN=local keeps it/,
    },
    {
      name: 'without a proxy',
      given: { fails: 'dial tcp: no route to host' },
      want: /code 1:\n.*no route to host/,
    },
  ];
  for (const { name, given, want } of compilers)
    test(`a compiler that is ${name}`, async () => {
      const { go } = writeCompiler(folder, given);
      const refused = ensureControlPlane({
        ...testContext({ DCMARKET_GO: go }),
        cacheRoot,
        sources: ['build'],
      });
      await expect(refused).rejects.toThrow(want);
      expect(existsSync(cacheFolder(cacheRoot))).toBe(false);
    });

  test('a compiler that may fetch a newer one is good enough', async () => {
    const { go } = writeCompiler(folder, { version: 'go1.21.0', toolchain: 'auto' });
    const found = await ensureControlPlane({ ...testContext({ DCMARKET_GO: go }), cacheRoot });
    expect(found.source).toBe('build');
  });

  test('nothing at all: all four are named with what each needs', async () => {
    const failure = await ensureControlPlane({ ...testContext(), cacheRoot }).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({
      code: 'ControlPlaneUnavailable',
      next: expect.stringContaining('--kubeconfig'),
    });
    const text = String(failure);
    for (const [source, need] of [
      ['KUBEBUILDER_ASSETS: not set', 'a folder that holds kube-apiserver, etcd and kubectl'],
      ['cache: nothing whole in', 'copy the folder'],
      ['download: ', 'DCMARKET_ENVTEST_INDEX'],
      ['build: DCMARKET_GO names /nonexistent/go', 'install Go 1.26'],
    ]) {
      expect(text).toContain(source);
      expect(text).toContain(need);
    }
  });
});

describe('the cache', () => {
  test('filled by hand, it is taken when the programs run', async () => {
    writeStandIns(cacheFolder(cacheRoot));
    expect(await ensureControlPlane({ ...testContext(), cacheRoot })).toMatchObject({ source: 'cache' });
  });

  const damages = [
    { name: 'a file is cut short', damage: (at: string) => truncateSync(join(at, 'kube-apiserver'), 5) },
    {
      name: 'a file was overwritten with one of the same size',
      damage: (at: string) => writeFileSync(join(at, 'etcd'), '#!/bin/sh\necho "etcd v9.99.9"\n'),
    },
    { name: 'a file is missing', damage: (at: string) => rmSync(join(at, 'kubectl')) },
    { name: 'its record is cut short', damage: (at: string) => truncateSync(join(at, 'complete.json'), 20) },
  ];
  for (const { name, damage } of damages)
    test(`is made again when ${name}`, async () => {
      const { go, builds } = writeCompiler(folder);
      const options = { ...testContext({ DCMARKET_GO: go }), cacheRoot };
      await ensureControlPlane(options);
      damage(cacheFolder(cacheRoot));
      expect(await ensureControlPlane(options)).toMatchObject({ source: 'build' });
      expect(builds()).toBe(6);
      expect(await ensureControlPlane(options)).toMatchObject({ source: 'cache' });
    });

  test('two at once end with one build', async () => {
    const { go, builds } = writeCompiler(folder, { lasts: '0.1' });
    const options = { ...testContext({ DCMARKET_GO: go }), cacheRoot, sources: ['build'] as const };
    const [one, other] = await Promise.all([ensureControlPlane(options), ensureControlPlane(options)]);
    expect(one.folder).toBe(other.folder);
    expect(builds()).toBe(3);
    expect(readdirSync(cacheRoot)).toEqual([one.folder.split('/').at(-1)]);
  });

  test('what a killed build left is never used, and is removed by the next', async () => {
    writeStandIns(join(cacheRoot, '.new-of-somebody-killed'));
    appendFileSync(
      join(cacheRoot, '.lock'),
      JSON.stringify({ pid: 999_999_999, identity: 'gone', purpose: 'build' }),
    );
    const { go } = writeCompiler(folder);
    const found = await ensureControlPlane({ ...testContext({ DCMARKET_GO: go }), cacheRoot });
    expect(found.source).toBe('build');
    expect(readdirSync(cacheRoot)).toEqual([found.folder.split('/').at(-1)]);
  });

  test('a build that is given up leaves nothing', async () => {
    const { go } = writeCompiler(folder);
    const stopping = new AbortController();
    const context = testContext({ DCMARKET_GO: go }, stopping.signal);
    const given = ensureControlPlane({
      ...context,
      cacheRoot,
      report: (what) => {
        if (what.includes('kubectl')) stopping.abort(new Error('stopped'));
      },
    });
    await expect(given).rejects.toThrow('stopped');
    expect(readdirSync(cacheRoot)).toEqual([]);
  });
});
