/** The bootstrap, on a stand-in checkout with a stand-in npm: what is installed when, and who gets the signals. */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../control-plane/stand-ins.ts';
import { identityOf } from './identity.mjs';
import { isCovered } from './installed.mjs';
import { explainNpmFailure } from './npm-failure.mjs';

let root: string;
beforeEach(() => {
  root = temporaryFolder();
  mkdirSync(join(root, 'dev'));
  for (const part of ['bootstrap', 'bootstrap.mjs'])
    cpSync(join(import.meta.dirname, '..', part), join(root, 'dev', part), { recursive: true });
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  writeLock('1.0.0');
  writeMain(`console.log('main', process.argv.slice(2).join(' ')); process.exitCode = 7;`);
  writeNpm(`
    const { mkdirSync, symlinkSync, appendFileSync, rmSync } = require('node:fs');
    appendFileSync('npm-calls', process.argv[2] + '\\n');
    rmSync('node_modules', { recursive: true, force: true });
    mkdirSync('node_modules/node/bin', { recursive: true });
    symlinkSync(process.execPath, 'node_modules/node/bin/node');`);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const writeMain = (source: string): void => writeFileSync(join(root, 'dev', 'main.ts'), source);
const writeNpm = (source: string): void => writeFileSync(join(root, 'npm.cjs'), source);
const writeLock = (version: string): void =>
  writeFileSync(
    join(root, 'package-lock.json'),
    JSON.stringify({ packages: { 'node_modules/a': { version } } }),
  );
const npmCalls = (): number =>
  existsSync(join(root, 'npm-calls'))
    ? readFileSync(join(root, 'npm-calls'), 'utf8').split('\n').length - 1
    : 0;

type Ended = { code: number | null; out: string };

function start(...args: string[]): {
  child: ChildProcess;
  ended: Promise<Ended>;
  printed: (text: string) => Promise<void>;
} {
  const env = { PATH: process.env['PATH'], npm_execpath: join(root, 'npm.cjs') };
  const child = spawn(process.execPath, [join(root, 'dev', 'bootstrap.mjs'), ...args], {
    env,
    stdio: 'pipe',
  });
  let out = '';
  const waiting: (() => void)[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      for (const check of waiting) check();
    });
  const ended = new Promise<Ended>((resolve) => child.once('close', (code) => resolve({ code, out })));
  const printed = (text: string): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (out.includes(text)) resolve();
      };
      waiting.push(check);
      check();
    });
  return { child, ended, printed };
}

test('installs the first time only, shows it, passes arguments and exit code on', async () => {
  const first = await start('start', '--once').ended;
  expect(first.out).toMatch(/^dependencies +\d+\.\d s\nmain start --once\n$/);
  expect(first.code).toBe(7);
  expect((await start('check').ended).out).toBe('main check\n');
  expect(npmCalls()).toBe(1);
});

test('installs again when the lock file has changed', async () => {
  await start('start').ended;
  writeLock('2.0.0');
  await start('start').ended;
  expect(npmCalls()).toBe(2);
});

test('takes what somebody installed by hand', async () => {
  await start('start').ended;
  rmSync(join(root, 'node_modules', '.dcmarket-installed'));
  cpSync(join(root, 'package-lock.json'), join(root, 'node_modules', '.package-lock.json'));
  await start('start').ended;
  expect(npmCalls()).toBe(1);
});

test('never installs through a link: what it points to is used by others', async () => {
  const shared = join(root, 'shared');
  mkdirSync(shared);
  symlinkSync(shared, join(root, 'node_modules'));
  const { code, out } = await start('start').ended;
  expect([code, npmCalls()]).toEqual([1, 0]);
  expect(out).toContain(`node_modules is a link to ${shared}`);
  expect(out).toContain('remove the link and start again');
});

test('two at once install once', async () => {
  const both = await Promise.all([start('start').ended, start('check').ended]);
  expect(both.map(({ code }) => code)).toEqual([7, 7]);
  expect(npmCalls()).toBe(1);
});

test('does not take the dependencies away from an npm start that runs', async () => {
  await start('start').ended;
  writeLock('2.0.0');
  const owner = { pid: process.pid, identity: identityOf(process.pid), purpose: 'npm start' };
  writeFileSync(join(root, '.dcmarket', 'start.lock'), JSON.stringify(owner));
  const { code, out } = await start('test').ended;
  expect(code).toBe(1);
  expect(out).toContain(`while npm start runs in this checkout (process ${process.pid})`);
  expect(npmCalls()).toBe(1);
});

test('a failed installation says why and what to do, and is done again', async () => {
  const good = readFileSync(join(root, 'npm.cjs'), 'utf8');
  writeNpm(`console.error('npm error code ENOTFOUND'); process.exitCode = 1;`);
  const { code, out } = await start('start').ended;
  expect(code).toBe(1);
  expect(out).toMatch(
    /dependencies failed[\s\S]*why: the npm registry cannot be reached\n {2}what to do: Check the network/,
  );
  writeNpm(good);
  expect((await start('start').ended).code).toBe(7);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  test(`${signal} reaches the program, whose exit code counts`, async () => {
    writeMain(`
      process.on('${signal}', () => { console.log('got it'); process.exit(3); });
      setInterval(() => {}, 1000); console.log('ready');`);
    const { child, ended, printed } = start('start');
    await printed('ready');
    child.kill(signal);
    expect(await ended).toMatchObject({ code: 3, out: expect.stringContaining('got it') });
  });

test('Ctrl-C during the installation ends it', async () => {
  writeNpm(
    `console.log('waiting'); require('node:fs').writeFileSync('npm-pid', String(process.pid)); setInterval(() => {}, 1000);`,
  );
  const { child, ended } = start('start');
  while (!existsSync(join(root, 'npm-pid'))) await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill('SIGINT');
  expect((await ended).code).toBe(130);
  expect(identityOf(Number(readFileSync(join(root, 'npm-pid'), 'utf8')))).toBeUndefined();
  expect(existsSync(join(root, '.dcmarket', 'install.lock'))).toBe(false);
});

test('a folder that is not a checkout is refused', async () => {
  rmSync(join(root, 'package-lock.json'));
  expect((await start('start').ended).out).toContain('not a whole checkout: package-lock.json is missing');
});

test('what cannot be written is told', () => {
  chmodSync(root, 0o755);
  const cases: [string, RegExp][] = [
    ['npm error code ENOSPC\nnpm error ENOSPC: no space left on device, write', /disk is full/],
    ['npm warn EBADENGINE network\nnpm error code EACCES', /cannot be written/],
    ['npm error code SELF_SIGNED_CERT_IN_CHAIN\nnpm error request to x failed', /not trusted/],
    ['npm error code E407\nnpm error Proxy Authentication Required', /refused the request/],
    ['npm error code EINTEGRITY', /not the one that was locked/],
    ['npm error something new', /something new/],
  ];
  for (const [output, why] of cases) expect(explainNpmFailure(output).why).toMatch(why);
});

test('only an optional package may be missing', () => {
  const wanted = {
    packages: {
      '': {},
      'node_modules/a': { version: '1.0.0' },
      'node_modules/b': { version: '1.0.0', optional: true },
    },
  };
  expect(isCovered(wanted, { packages: { 'node_modules/a': { version: '1.0.0' } } })).toBe(true);
  expect(isCovered(wanted, { packages: { 'node_modules/a': { version: '1.0.1' } } })).toBe(false);
  expect(isCovered(wanted, { packages: { 'node_modules/b': { version: '1.0.0' } } })).toBe(false);
});
