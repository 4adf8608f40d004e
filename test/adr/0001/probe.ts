/**
 * Shows on a real API server what ADR 1 says of @dot-i/k8s-operator. Reads KUBECONFIG, prints one paragraph per
 * question, and judges nothing by itself.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { createKubeClient } from '../../../kube/client.ts';
import type { KubeObject } from '../../../kube/object.ts';
import type { ResourceType } from '../../../kube/resource.ts';
import { startProxy } from '../../../kube/testing/freezable-proxy.ts';

const PACKAGE = '@dot-i/k8s-operator@1.3.9';
const SETTLE_MS = 3000;
type ConfigMap = KubeObject & Readonly<{ data?: Readonly<Record<string, string>> }>;
const core = (plural: string, kind: string): ResourceType => ({
  ...{ group: '', version: 'v1', plural, kind, namespaced: kind !== 'Namespace' },
});

const kubeconfig = process.env['KUBECONFIG'];
if (!kubeconfig) throw new Error('set KUBECONFIG to the file of an API server that may be written to');
const folder = mkdtempSync(join(tmpdir(), 'adr-0001-'));
const client = createKubeClient({ kubeconfig: { file: kubeconfig } });
const maps = client.resource<ConfigMap>(core('configmaps', 'ConfigMap'));
const namespaces = client.resource(core('namespaces', 'Namespace'));
try {
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--silent', PACKAGE], { cwd: folder });
  copyFileSync(join(import.meta.dirname, 'operator.cjs'), join(folder, 'operator.cjs'));
  console.log(
    `${PACKAGE} with @kubernetes/client-node ${installed('@kubernetes/client-node')}, Node ${process.version}\n`,
  );
  await oneKeyManyTimes();
  await handlerThrows();
  await finalizerOfSomebodyElse();
  await finalizerRefused();
  await watchIsCut();
} finally {
  await client.close();
  rmSync(folder, { recursive: true, force: true });
}

async function oneKeyManyTimes(): Promise<void> {
  await withOperator({ WORK_MS: '200' }, async ({ namespace, lines }) => {
    let map = await put(namespace, 'busy', { n: '0' });
    for (let n = 1; n <= 9; n++) map = await maps.update({ ...map, data: { n: String(n) } });
    await put(namespace, 'other', { n: 'x' });
    const startedMs = performance.now();
    await until(() => lines.includes('begin other x'));
    const waitedMs = Math.round(performance.now() - startedMs);
    const calls = lines.filter((line) => line.startsWith('begin busy')).length;
    report('Ten writes to one object, 200 ms of work each, then another object:', [
      `the handler ran ${calls} times for the first object (a deduplicating queue: 2)`,
      `the second object waited ${waitedMs} ms, because one serial queue serves all`,
    ]);
  });
}

async function handlerThrows(): Promise<void> {
  await withOperator({ MODE: 'throw' }, async ({ namespace, lines, exit }) => {
    await put(namespace, 'failing', { n: 'bad' });
    await delay(SETTLE_MS);
    const calls = lines.filter((line) => line.startsWith('begin failing')).length;
    report('A handler that throws once:', [
      `it was called ${calls} time(s) within ${SETTLE_MS / 1000} s: no retry`,
      `the operator ${exit() === undefined ? 'still runs' : `ended: ${exit()}`}`,
    ]);
  });
}

async function finalizerOfSomebodyElse(): Promise<void> {
  await withOperator({ MODE: 'finalizer', WORK_MS: '500' }, async ({ namespace, lines }) => {
    const map = await put(namespace, 'shared', { n: '1' });
    await until(() => lines.includes('begin shared 1'));
    const finalizers = ['example.com/somebody-else'];
    await maps.update({ ...map, metadata: { ...map.metadata, finalizers } });
    await until(() => lines.includes('end shared 1'));
    const now = await maps.get({ namespace, name: 'shared' });
    report('Somebody else adds a finalizer while the operator adds its own:', [
      `finalizers afterwards: ${JSON.stringify(now?.metadata.finalizers)} (merge patch without resourceVersion)`,
    ]);
    await release(namespace, 'shared');
  });
}

async function finalizerRefused(): Promise<void> {
  await withOperator({ MODE: 'finalizer', WORK_MS: '500' }, async ({ namespace, lines }) => {
    await put(namespace, 'gone', { n: '1' });
    await until(() => lines.includes('begin gone 1'));
    await maps.delete({ namespace, name: 'gone' });
    await until(() => lines.some((line) => line.startsWith('finalizer gone')));
    const logged = lines.find((line) => line.startsWith('logged'))?.slice(0, 90);
    report('The finalizer cannot be set (here: 404):', [
      `handleResourceFinalizer ${lines.find((line) => line.startsWith('finalizer gone'))?.split(' ')[2]}, as if it had worked`,
      `the error is only logged: ${logged}…`,
    ]);
  });
}

async function watchIsCut(): Promise<void> {
  const proxy = await startProxy(String(kubeconfig));
  const file = join(folder, 'through-proxy.yaml');
  writeFileSync(file, 'text' in Object(proxy.kubeconfig) ? Object(proxy.kubeconfig).text : '');
  await withOperator({ KUBECONFIG: file }, async ({ namespace, lines, exit }) => {
    await put(namespace, 'before', { n: '1' });
    await until(() => lines.includes('end before 1'));
    await proxy.close(); // as when the API server restarts
    await delay(SETTLE_MS);
    report('The API server goes away while it is watched:', [
      `the operator ${exit() === undefined ? 'still runs' : `ended: ${exit()}`}`,
      `it had logged: ${lines.findLast((line) => line.startsWith('logged'))?.slice(0, 110) ?? 'nothing'}…`,
    ]);
  });
}

type Running = Readonly<{ namespace: string; lines: readonly string[]; exit: () => string | undefined }>;

async function withOperator(env: NodeJS.ProcessEnv, use: (running: Running) => Promise<void>): Promise<void> {
  const namespace = `adr-0001-${randomUUID().slice(0, 8)}`;
  await namespaces.create({ metadata: { name: namespace } });
  const child = spawn(process.execPath, ['operator.cjs'], {
    cwd: folder,
    env: { ...process.env, NAMESPACE: namespace, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  let ended: string | undefined;
  child.once('exit', (code, signal) => {
    ended = signal ? `signal ${signal}` : `exit code ${code}`;
  });
  try {
    await until(() => lines.includes('watching'));
    await use({ namespace, lines, exit: () => ended });
  } finally {
    await stop(child);
    await namespaces.delete({ name: namespace });
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

function put(namespace: string, name: string, data: Record<string, string>): Promise<ConfigMap> {
  return maps.create({ metadata: { namespace, name }, data });
}

async function release(namespace: string, name: string): Promise<void> {
  await maps.patch({ namespace, name }, { type: 'Merge', body: { metadata: { finalizers: null } } });
}

async function until(isReached: () => boolean): Promise<void> {
  for (let left = 200; !isReached(); left--) {
    if (left === 0) throw new Error('the operator did not get that far in 20 s');
    await delay(100);
  }
}

function report(question: string, answers: readonly string[]): void {
  console.log(`${question}\n${answers.map((answer) => `  - ${answer}`).join('\n')}\n`);
}

function installed(name: string): string {
  return JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')).version;
}
