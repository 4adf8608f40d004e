import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Failure } from '../failure.ts';
import { loadConfig } from './load.ts';

let dir = '';
let file = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dc-agent-config-'));
  file = join(dir, 'config.toml');
  writeFileSync(join(dir, 'agent.key'), 'x', { mode: 0o600 });
  writeFileSync(join(dir, 'provision'), '#!/bin/sh\n', { mode: 0o755 });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const VALID = (): string[] => [
  '# written by hand', // 1
  '[agent]', // 2
  'api_url = "https://api.example.com"', // 3
  `provider_pubkey = "${'ab'.repeat(32)}"`, // 4
  'pool_id = "europe-script"', // 5
  '', // 6
  '[keys]', // 7
  'private_key_path = "agent.key"', // 8
  '[provisioner]', // 9
  'type = "script"', // 10
  '[provisioner.script]', // 11
  `provision = "${join(dir, 'provision')}"`, // 12
];

function load(lines: string[]): ReturnType<typeof loadConfig> {
  writeFileSync(file, lines.join('\n'), { mode: 0o600 });
  return loadConfig(file);
}

const changed = (line: number, text: string): string[] => VALID().with(line - 1, text);

test('fills in defaults, and paths are relative to the file', () => {
  const { config, warnings } = load(VALID());
  expect(config.agent).toMatchObject({
    lock_timeout_seconds: 300,
    poll_interval_seconds: 30,
  });
  expect(config.keys.private_key_path).toBe(join(dir, 'agent.key'));
  expect(config.agent.state_dir).toBe(join(dir, 'state'));
  expect(warnings).toEqual([]);
});

describe('names what is wrong with its line', () => {
  const cases: { name: string; line: number; text: string; at: number; says: RegExp }[] = [
    {
      name: 'an unknown key',
      line: 6,
      text: 'poll_seconds = 3',
      at: 6,
      says: /agent\.poll_seconds is not a known key; known in agent: api_url/,
    },
    { name: 'an unknown table', line: 6, text: '[agents]\nx = 1', at: 6, says: /agents is not a known key/ },
    {
      name: 'a wrong type',
      line: 6,
      text: 'max_concurrent = "four"',
      at: 6,
      says: /agent\.max_concurrent: .*expected (number|int)/,
    },
    {
      name: 'a value out of bounds',
      line: 6,
      text: 'max_concurrent = 0',
      at: 6,
      says: /agent\.max_concurrent: .*>=1/,
    },
    {
      name: 'a missing key, at its table',
      line: 5,
      text: '',
      at: 2,
      says: /agent\.pool_id is missing \(Pool that was joined\)/,
    },
    {
      name: 'a missing file',
      line: 8,
      text: 'private_key_path = "none.key"',
      at: 8,
      says: /none\.key does not exist/,
    },
    {
      name: 'a missing program',
      line: 12,
      text: 'provision = "/nowhere/at-all"',
      at: 12,
      says: /\/nowhere\/at-all does not exist/,
    },
    {
      name: 'a relative program',
      line: 12,
      text: 'provision = "provision"',
      at: 12,
      says: /an absolute path/,
    },
    {
      name: 'a table that the type needs',
      line: 10,
      text: 'type = "proxmox"',
      at: 9,
      says: /\[provisioner\.proxmox\] is needed/,
    },
    {
      name: 'a type that nobody knows',
      line: 10,
      text: 'type = "vmware"',
      at: 10,
      says: /provisioner\.type: .*"proxmox"/,
    },
    { name: 'what is no TOML', line: 5, text: 'pool_id = europe', at: 5, says: /.+/ },
  ];
  for (const { name, line, text, at, says } of cases)
    test(name, () => {
      const error = catchFailure(() => load(changed(line, text)));
      expect(error.message).toContain(`${file}:${at}: `);
      expect(error.message).toMatch(says);
      expect(error.exitCode).toBe(2);
    });

  test('all problems at once, in the order of the lines', () => {
    const lines = changed(3, 'api_url = 7').with(9, 'type = "x"');
    expect(catchFailure(() => load(lines)).message.match(/:(\d+): /g)).toEqual([':3: ', ':10: ']);
  });

  test('keys after a text or list over several lines', () => {
    const lines = changed(6, 'label = """\nmax_concurrent = 9\n[keys]\n"""\nmax_concurrent = "x"');
    expect(catchFailure(() => load(lines)).message).toContain(`${file}:10: agent.max_concurrent`);
  });
});

test('says how to get a file that is not there', () => {
  const error = catchFailure(() => loadConfig(join(dir, 'none.toml')));
  expect(error.message).toContain('none.toml does not exist');
  expect(error.next).toContain('dc-agent setup');
});

test('closes a file that others could read', () => {
  writeFileSync(file, VALID().join('\n'));
  chmodSync(file, 0o644);
  expect(loadConfig(file).warnings).toEqual([expect.stringContaining('had mode 0644')]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

function catchFailure(run: () => unknown): Failure {
  try {
    run();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
