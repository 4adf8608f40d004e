/** Brings YAML files to a cluster with kubectl: server-side apply, so that it may be done again at any time. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';

const ESTABLISH_S = 30;
const FIELD_MANAGER = 'dcmarket';

export type Kubectl = Readonly<{
  kubectl: string;
  kubeconfig: string;
  /** Where kubectl keeps what it learnt of the cluster; default `~/.kube/cache`. */
  cacheFolder?: string;
}>;

/**
 * Applies every YAML of `folder` and waits until each CRD there is served; then what is in its subfolder
 * `policies`, which speaks about them. Answers how many CRDs there were.
 */
export async function installManifests(context: Context, kubectl: Kubectl, folder: string): Promise<number> {
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => /\.ya?ml$/.test(name)) : [];
  if (files.length === 0) return 0;
  await applyManifests(context, kubectl, folder);
  await runKubectl(context, kubectl, [
    'wait',
    '--recursive=false', // unlike apply, it looks into subfolders otherwise
    '--for=condition=Established',
    `--timeout=${ESTABLISH_S}s`,
    '-f',
    folder,
  ]);
  const policies = join(folder, 'policies');
  if (existsSync(policies)) await applyManifests(context, kubectl, policies);
  return files.length;
}

/** Applies a file or a folder. */
export async function applyManifests(context: Context, kubectl: Kubectl, path: string): Promise<void> {
  await runKubectl(context, kubectl, [
    ...['apply', '--server-side', '--force-conflicts', `--field-manager=${FIELD_MANAGER}`, '-f', path],
  ]);
}

/** Answers what it printed. Throws `StepFailed` with what kubectl complained about. */
export async function runKubectl(
  context: Context,
  kubectl: Kubectl,
  args: readonly string[],
): Promise<string> {
  const cache = kubectl.cacheFolder ? [`--cache-dir=${kubectl.cacheFolder}`] : [];
  try {
    const { stdout } = await promisify(execFile)(
      kubectl.kubectl,
      [`--kubeconfig=${kubectl.kubeconfig}`, ...cache, ...args],
      { signal: context.signal, env: { PATH: context.env['PATH'], HOME: context.env['HOME'] } },
    );
    return stdout;
  } catch (cause) {
    context.signal.throwIfAborted();
    const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : String(cause);
    throw new Failure('StepFailed', `kubectl ${args[0]}: ${said}`, { cause });
  }
}
