import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { bundler } from './bundle.ts';
import { installerScript } from './installer-script.ts';

const run = promisify(execFile);
const ENTRY = join(import.meta.dirname, '..', '..', 'agent', 'main.ts');

test('the agent as one file runs in an empty folder, with nothing but Node', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dcmarket-bundle-'));
  try {
    const { code, sha256 } = await bundler(ENTRY)();
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    const file = join(folder, 'dc-agent.mjs');
    await writeFile(file, code);
    const { stdout } = await run(process.execPath, [file, '--version'], {
      cwd: folder,
      env: { HOME: folder },
    });
    expect(stdout.trim()).toMatch(/^\d+\.\d+\.\d+/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('sources that are not there are a refusal that a retry may mend, not a crash', async () => {
  const bundle = bundler('/nowhere/main.ts');
  await expect(bundle()).rejects.toMatchObject({ code: 'NotReady', status: 503 });
  await expect(bundle()).rejects.toMatchObject({ code: 'NotReady' });
});

test('an address with a quote in it stays one word of the installer', () => {
  const script = installerScript({
    apiUrl: "http://x/'; rm -rf y; '",
    sha256: 'a'.repeat(64),
    version: '1.0.0',
  });
  expect(script).toContain(`api_url='http://x/'\\''; rm -rf y; '\\'''`);
  expect(script.trimEnd().split('\n').at(-1)).toBe('main "$@"');
});
