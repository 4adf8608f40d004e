import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import { loadConfig } from '../config/load.ts';
import { createOutput } from '../output.ts';
import { FakeFacade } from '../testing/fake-facade.ts';
import { readDelegation } from './delegation.ts';
import { type SetupOptions, setUp } from './setup.ts';

let dir = '';
let facade: FakeFacade;
let apiUrl = '';
let said = '';
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dc-agent-setup-'));
  facade = new FakeFacade(systemClock, undefined);
  apiUrl = await facade.listen();
  said = '';
});
afterEach(() => {
  facade.close();
  rmSync(dir, { recursive: true, force: true });
});

const file = (name: string): string => join(dir, name);

function joinPool(change: Partial<SetupOptions> = {}): Promise<void> {
  const stream = { write: (text: string) => (said += text) };
  return setUp(
    { clock: systemClock, output: createOutput(stream, {}), signal: new AbortController().signal },
    {
      token: 'apt_europe_good',
      apiUrl,
      configFile: file('config.toml'),
      label: 'node-6',
      mode: 'Join',
      script: {},
      exampleProgram: process.execPath,
      ...change,
    },
  );
}

test('joins: key, configuration and delegation are there, private, and the configuration is valid', async () => {
  await joinPool();
  for (const name of ['agent.key', 'config.toml', 'delegation.json'])
    expect([name, statSync(file(name)).mode & 0o777]).toEqual([name, 0o600]);
  const { config, warnings } = loadConfig(file('config.toml'));
  expect(warnings).toEqual([]);
  expect(config.agent).toMatchObject({ api_url: apiUrl, pool_id: 'europe-script', label: 'node-6' });
  expect(config.agent.state_dir).toBe(file('state'));
  expect(config.provisioner).toMatchObject({ type: 'script', script: { provision: process.execPath } });
  expect(config.resources).toMatchObject({ detect: false }); // the example's machines share what there is
  expect(readDelegation(file('delegation.json'))).toMatchObject({
    agentName: 'node-6',
    installation: 'inst-test',
  });
  expect(said).toContain('joined pool europe-script (europe) as node-6');
});

test('again by mistake: nothing to do, nothing called', async () => {
  await joinPool();
  const key = readFileSync(file('agent.key'), 'utf8');
  const calls = facade.calls.length;
  await joinPool({ token: 'whatever-else' });
  expect(said).toContain('already joined as node-6; nothing to do');
  expect(facade.calls.length).toBe(calls);
  expect(readFileSync(file('agent.key'), 'utf8')).toBe(key);
});

test('a lost answer heals: the same key gets the same answer', async () => {
  facade.faults.set('POST setup', ['LoseReply']);
  await joinPool();
  expect(facade.calls).toEqual(['POST setup 200', 'POST setup 200']);
  expect(readDelegation(file('delegation.json'))?.agentName).toBe('node-6');
});

test('a crash after the key was made: it is used again', async () => {
  await expect(joinPool({ token: 'apt_unknown' })).rejects.toThrow('no such token');
  const key = readFileSync(file('agent.key'), 'utf8');
  expect(existsSync(file('delegation.json'))).toBe(false);
  await joinPool();
  expect(readFileSync(file('agent.key'), 'utf8')).toBe(key);
  expect(said).toContain('key of an earlier try used again');
});

test('keeps a configuration that is there', async () => {
  writeFileSync(file('config.toml'), '# mine\n', { mode: 0o600 });
  await joinPool();
  expect(readFileSync(file('config.toml'), 'utf8')).toBe('# mine\n');
  expect(said).toContain('was kept; it must say');
});

test('--force joins anew and keeps aside what was there', async () => {
  await joinPool();
  const key = readFileSync(file('agent.key'), 'utf8');
  facade.agentKey = undefined;
  await joinPool({ mode: 'Force' });
  expect(readFileSync(file('agent.key.old'), 'utf8')).toBe(key);
  expect(readFileSync(file('agent.key'), 'utf8')).not.toBe(key);
});

test('names the programs that were given, and says what to do without any', async () => {
  await joinPool({ exampleProgram: undefined });
  expect(said).toContain('the program that makes instances is still to be named');
  rmSync(file('config.toml'));
  rmSync(file('delegation.json'));
  await joinPool({ script: { provision: '/opt/p', list: '/opt/l' } });
  expect(readFileSync(file('config.toml'), 'utf8')).toMatch(/provision = "\/opt\/p"\nlist = "\/opt\/l"/);
});

test('a refusal says what to do, and a wrong address where to look', async () => {
  await expect(joinPool({ token: 'apt_unknown' })).rejects.toMatchObject({ next: 'Make one.', exitCode: 1 });
  await expect(joinPool({ apiUrl: 'ftp://x' })).rejects.toMatchObject({ exitCode: 2 });
  await expect(joinPool({ apiUrl: 'nonsense' })).rejects.toThrow(/is no address/);
});

test('a key that others can read is refused', async () => {
  writeFileSync(file('agent.key'), `${'0'.repeat(64)}\n`, { mode: 0o644 });
  await expect(joinPool()).rejects.toThrow(/mode 0644: others can read it/);
});
