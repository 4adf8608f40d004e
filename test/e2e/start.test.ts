/**
 * `npm start` as a newcomer meets it, in a copy of the checkout: a market that survives Ctrl-C, a save, and SIGKILL.
 * The tests build on each other; each is one scene.
 */
import { execFile } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { signalProcess } from '../../dev/processes/managed-process.ts';
import { freePort } from '../../dev/processes/ports.ts';
import { runBySsh } from '../../dev/start/login.ts';
import { eventually } from '../world/eventually.ts';
import { openWorld, type World } from '../world/world.ts';
import { type Checkout, copyCheckout, instancesOf, leftBehind, type Script } from './checkout.ts';

const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;
const TRY = 'Ctrl-C stops everything';
const STOP_MS = 15_000;

let world: World;
let checkout: Checkout;
let port: number;
/** What the first long start showed; the later ones must find it as it was. */
let before: Readonly<{ instance: Instance; hostKey: string; history: unknown }>;

beforeAll(async () => {
  world = await openWorld();
  checkout = await copyCheckout(join(world.folder, 'checkout'));
  port = await freePort();
});
afterAll(async () => {
  await checkout?.remove();
  await world?.close();
});

const start = (...args: string[]): Script => checkout.npm('start', ['--port', String(port), ...args]);
const state = (name: string): string => join(checkout.paths.state, name);

type Instance = Readonly<{ port: number; keyFile: string; knownHosts: string; kubectl: string }>;

/** From the lines under "Try:". */
function instanceOf(output: string): Instance {
  const ssh = /ssh -p (\d+) -i (\S+) -o UserKnownHostsFile=(\S+) tenant@127\.0\.0\.1\n/.exec(output);
  const kubectl = /\(kubectl: (\S+)\)/.exec(output)?.[1] ?? '';
  const [, sshPort = '', keyFile = '', knownHosts = ''] = ssh ?? [];
  const at = (path: string): string => join(checkout.paths.root, path);
  return { port: Number(sshPort), keyFile: at(keyFile), knownHosts: at(knownHosts), kubectl };
}

async function login(instance: Instance, command: string): Promise<string> {
  const { output, knownHost } = await runBySsh({
    ...{ host: '127.0.0.1', port: instance.port, user: 'tenant', fingerprint: null, command },
    privateKey: readFileSync(instance.keyFile, 'utf8'),
  });
  expect(knownHost).toBe(readFileSync(instance.knownHosts, 'utf8').trim());
  return output;
}

type Contract = { metadata: { name: string }; status: { phase: string; history: unknown } };

async function contracts({ kubectl }: Instance): Promise<Contract[]> {
  const options = {
    cwd: checkout.paths.root,
    env: { KUBECONFIG: '.dcmarket/kubeconfig', HOME: checkout.paths.state },
  };
  const { stdout } = await run(kubectl, ['get', 'contracts', '-A', '-o', 'json'], options);
  return (JSON.parse(stdout) as { items: Contract[] }).items; // what the API server's schema allows
}

async function dcm(...args: string[]): Promise<string> {
  const { stdout } = await run('npx', ['--offline', 'dcm', ...args], { cwd: checkout.paths.root });
  return stdout;
}

test('it keeps running, and everything that it prints to try works', async () => {
  const script = start();
  await script.prints(TRY);
  const instance = instanceOf(script.output());
  expect(await login(instance, 'echo kept > note; cat note')).toBe('kept');
  if (isRoot) expect(Number(await login(instance, 'id -u'))).toBeGreaterThanOrEqual(20_000);
  const active = (await contracts(instance)).filter(({ status }) => status.phase === 'Active');
  expect(active).toHaveLength(1);
  expect(script.output()).toContain(`  http://127.0.0.1:${port}/docs\n`);
  const docs = await fetch(`http://127.0.0.1:${port}/docs`);
  expect([docs.status, docs.headers.get('content-type')]).toEqual([200, expect.stringContaining('html')]);
  expect(await dcm('contracts')).toContain(`127.0.0.1:${instance.port}`);
  before = {
    instance,
    hostKey: readFileSync(instance.knownHosts, 'utf8'),
    history: active[0]?.status.history,
  };

  const [second, reset] = await Promise.all([start().ended, checkout.npm('reset').ended]);
  expect(second.output).toMatch(
    /why: npm start runs in this checkout already \(process \d+\)\n {2}what to do: Use that one/,
  );
  expect(reset.output).toMatch(
    /why: npm start runs in this checkout \(process \d+\)\n {2}what to do: Stop it/,
  );
  expect([second.code, reset.code]).toEqual([1, 1]);

  script.interruptNpm();
  const { code, output } = await script.endsWithin(STOP_MS);
  expect(output).toContain('1 instance stopped; the next start brings it back');
  expect({ code, left: leftBehind(checkout) }).toEqual({ code: 0, left: [] });
  expect(await instancesOf(checkout, world)).toEqual([
    { id: expect.stringMatching(/^dc-/), state: 'stopped' },
  ]);
});

test('npm run dev finds it all as it was, and starts a part again when its file is saved', async () => {
  const script = checkout.npm('dev', ['--port', String(port)]);
  await script.prints(TRY);
  expect(script.output()).toMatch(/demo\/hello is rented since the last start +\d/);
  const instance = instanceOf(script.output());
  expect(instance).toEqual(before.instance);
  expect(readFileSync(instance.knownHosts, 'utf8')).toBe(before.hostKey);
  expect(await login(instance, 'cat note')).toBe('kept');
  const [contract] = (await contracts(instance)).filter(({ status }) => status.phase === 'Active');
  expect(contract?.status.history).toEqual(before.history); // Active all along

  const first = operators();
  appendFileSync(join(checkout.paths.root, 'operator', 'run.ts'), '\n// saved\n');
  await eventually(async () => expect(operators()).not.toEqual(first), { withinMs: 20_000 });
  const rented = await dcm('rent', 'demo/hello', '--ssh-key', state('demo_key.pub'), '--wait');
  expect(rented).toMatch(/active/i);
  expect(operators()).toHaveLength(1);
});

/** The pids of the operator itself, without the one that watches its files. */
const operators = (): number[] =>
  [...checkout.processes()]
    .filter(([, line]) => line.includes('operator/main.ts') && !line.includes('--watch '))
    .map(([pid]) => pid);

test('after SIGKILL of everything the next start heals, and when an agent dies it says so', async () => {
  for (const pid of checkout.processes().keys()) signalProcess(pid, 'SIGKILL');
  await eventually(async () => expect([...checkout.processes().values()]).toEqual([]));
  expect(leftBehind(checkout)).toContain('start.lock');

  const script = start();
  await script.prints(TRY);
  expect(script.output()).toContain('2 instances started again'); // one is what dcm rented
  expect(instanceOf(script.output())).toEqual(before.instance);
  expect(readFileSync(before.instance.knownHosts, 'utf8')).toBe(before.hostKey);
  expect(await login(before.instance, 'cat note')).toBe('kept');
  const phases = (await contracts(before.instance)).map(({ status }) => status.phase);
  expect(phases.filter((phase) => phase === 'Active')).toHaveLength(2);

  const isAgent = (line: string): boolean => line.includes('agents/agent-1/config.toml');
  for (const [pid, line] of checkout.processes()) if (isAgent(line)) signalProcess(pid, 'SIGKILL');
  const { code, output } = await script.endsWithin(STOP_MS);
  expect(output).toMatch(
    /why: agent-1 was ended by SIGKILL:\n[\s\S]*what to do: Its whole log is .*agent-1\.log\./,
  );
  expect({ code, left: leftBehind(checkout) }).toEqual({ code: 1, left: [] });
});

test('npm run reset removes all that was written', async () => {
  const { code, output } = await checkout.npm('reset').ended;
  expect(code).toBe(0);
  expect(output).toMatch(/^data removed +\d/m);
  const left = existsSync(checkout.paths.state) ? readdirSync(checkout.paths.state) : [];
  expect(left.filter((name) => name !== 'worlds')).toEqual([]);
});
