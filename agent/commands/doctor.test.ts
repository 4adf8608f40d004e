import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Clock } from '../../lib/clock.ts';
import { systemClock } from '../../lib/clock.ts';
import { createOutput } from '../output.ts';
import { setUp } from '../setup/setup.ts';
import { FakeFacade } from '../testing/fake-facade.ts';
import { doctor } from './doctor.ts';
import { leave } from './leave.ts';
import { status } from './status.ts';

let dir = '';
let facade: FakeFacade;
let said = '';
const stream = { write: (text: string) => (said += text) };
const program = (): string => join(dir, 'provision');

/** Lists nothing, whatever it is asked. */
const LISTS = `#!/bin/sh\ncat >/dev/null\necho '{"success":true,"instances":[]}'\n`;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dc-agent-doctor-'));
  facade = new FakeFacade(systemClock, undefined);
  const apiUrl = await facade.listen();
  writeFileSync(program(), LISTS, { mode: 0o755 });
  await setUp(
    { clock: systemClock, output: createOutput(stream, {}), signal: new AbortController().signal },
    {
      token: 'apt_europe_good',
      apiUrl,
      configFile: join(dir, 'config.toml'),
      label: undefined,
      mode: 'Join',
      script: { provision: program() },
      exampleProgram: undefined,
    },
  );
  said = '';
});
afterEach(() => {
  facade.close();
  rmSync(dir, { recursive: true, force: true });
});

const deps = (clock: Clock = systemClock) => ({
  configFile: join(dir, 'config.toml'),
  clock,
  output: createOutput(stream, {}),
  signal: new AbortController().signal,
  environment: { PATH: process.env['PATH'] },
});

test('all is right: one line for each thing, no heartbeat', async () => {
  expect(await doctor(deps())).toBe(true);
  expect(said).toMatch(/configuration .*config\.toml\n/);
  expect(said).toContain('agent.key (0600)');
  expect(said).toContain('0 contracts unfinished; dc-agent is not running');
  expect(said).toContain('answers and accepts this agent for pool europe-script');
  expect(said).toMatch(/resources: \d+ CPU, [\d.]+ GiB memory, \d+ GiB disk, \d+ GPU \(measured/);
  expect(said).toContain('clock: both clocks agree');
  expect(said).toMatch(/provisioner script: lists 0 instances in \d+ ms/);
  expect(facade.calls).not.toContain('POST heartbeat 200');
});

test('names a wrong line of the configuration', async () => {
  writeFileSync(join(dir, 'config.toml'), '[agent]\nfoo = 1\n');
  expect(await doctor(deps())).toBe(false);
  expect(said).toContain('config.toml:2: agent.foo is not a known key');
});

test('a program that cannot be started', async () => {
  chmodSync(program(), 0o644);
  expect(await doctor(deps())).toBe(false);
  expect(said).toContain(`${program()} is not executable: chmod 755`);
});

test('a program that answers nonsense', async () => {
  writeFileSync(program(), '#!/bin/sh\ncat >/dev/null\necho hello\n');
  expect(await doctor(deps())).toBe(false);
  expect(said).toMatch(/wrong: list: .*is not exactly one JSON document/);
});

test('a clock that is off is named in seconds, with both times when it is refused', async () => {
  const off = (ms: number): Clock => ({ ...systemClock, now: () => new Date(Date.now() + ms) });
  await doctor(deps(off(-30_000)));
  expect(said).toMatch(/clock: this clock is (29|30|31) s slow; set it by NTP/);
  said = '';
  expect(await doctor(deps(off(300_000)))).toBe(false);
  expect(said).toMatch(/this clock says 20.*Z, the server's 20.*Z: this clock is (299|300|301) s fast/);
});

test('an agent that was revoked, and a server that is away', async () => {
  facade.isRevoked = true;
  expect(await doctor(deps())).toBe(false);
  expect(said).toContain('refuses this agent: this agent was revoked Join again.');
  facade.close();
  expect(await doctor(deps())).toBe(false);
  expect(said).toContain('does not answer');
});

test('status says what runs; leave refuses while something does', async () => {
  const machine = `{"external_id":"dc-1","contract_id":"${'c'.repeat(32)}","epoch":3,"installation":"inst-test","state":"running","created_at":"2026-01-01T00:00:00Z"}`;
  writeFileSync(program(), LISTS.replace('[]', `[${machine}]`));
  expect(await status(deps())).toBe(true);
  expect(said).toContain('node-6 is not running');
  expect(said).toContain('dc-1  running  epoch 3');
  await expect(leave(deps(), 'Careful')).rejects.toThrow('1 instances are on this host: dc-1');
  await leave(deps(), 'Force');
  expect(said).toContain('node-6 left pool europe-script');
  await expect(status(deps())).rejects.toThrow(/does not exist/);
});
