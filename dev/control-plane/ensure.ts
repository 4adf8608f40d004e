/**
 * Gets kube-apiserver, etcd and kubectl, from the first of four sources that works: a folder that the person
 * named, our cache, the published archive, a build. The last two fill the cache.
 */
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { Failure, messageOf } from '../failure.ts';
import { missingBinaries, probeVersion } from './binaries.ts';
import { cacheFolder, cacheRoot, fillCache, readCache } from './cache.ts';
import { buildBinaries } from './sources/build.ts';
import { downloadBinaries } from './sources/download.ts';
import { KUBERNETES_VERSION } from './versions.ts';

export const SOURCES = ['KUBEBUILDER_ASSETS', 'cache', 'download', 'build'] as const;
export type Source = (typeof SOURCES)[number];

export type ControlPlaneBinaries = Readonly<{
  folder: string;
  kubeApiserver: string;
  etcd: string;
  kubectl: string;
  /** Of the API server, e.g. `1.36.3`. */
  version: string;
  source: Source;
}>;

export type EnsureOptions = Context &
  Readonly<{
    /** Which to try, in this order. Default all. */
    sources?: readonly Source[];
    /** Default: see `cache.ts`. */
    cacheRoot?: string;
  }>;

type Found = Readonly<{ folder: string; version: string }>;
type Attempt = (context: Context, root: string) => Promise<Found>;

const ATTEMPTS: Record<Source, Attempt> = {
  KUBEBUILDER_ASSETS: fromNamedFolder,
  cache: async ({ signal }, root) => {
    const found = await readCache(root, signal);
    if (!found) throw new Failure('ControlPlaneUnavailable', `nothing whole in ${cacheFolder(root)}`);
    return found;
  },
  download: (context, root) => fillCache(context, root, (folder) => downloadBinaries(context, folder)),
  build: (context, root) => fillCache(context, root, (folder) => buildBinaries(context, folder)),
};

/** What would have made each source work. */
const NEEDS: Record<Source, string> = {
  KUBEBUILDER_ASSETS: 'set KUBEBUILDER_ASSETS to a folder that holds kube-apiserver, etcd and kubectl',
  cache: 'copy the folder from a machine of the same kind that has it',
  download:
    'let this machine reach GitHub, or set DCMARKET_ENVTEST_INDEX to a mirror of envtest-releases.yaml',
  build: 'install Go 1.26 or newer (1.21 with toolchain switching), with access to a module proxy',
};

/** Throws `ControlPlaneUnavailable`, which tells of every source why it failed and what it needs. */
export async function ensureControlPlane(options: EnsureOptions): Promise<ControlPlaneBinaries> {
  const { sources = SOURCES, cacheRoot: root = cacheRoot(options.env), ...context } = options;
  const refusals: string[] = [];
  for (const source of sources) {
    try {
      const { folder, version } = await ATTEMPTS[source](context, root);
      return {
        folder,
        kubeApiserver: join(folder, 'kube-apiserver'),
        etcd: join(folder, 'etcd'),
        kubectl: join(folder, 'kubectl'),
        version,
        source,
      };
    } catch (error) {
      context.signal.throwIfAborted();
      refusals.push(`    ${source}: ${messageOf(error)}\n      To use it, ${NEEDS[source]}.`);
    }
  }
  throw new Failure(
    'ControlPlaneUnavailable',
    `no source has the control plane (Kubernetes ${KUBERNETES_VERSION}):\n${refusals.join('\n')}`,
    {
      next: 'Make one of them work and start again, or use a cluster that you have: npm start -- --kubeconfig FILE',
    },
  );
}

async function fromNamedFolder({ env, signal }: Context): Promise<Found> {
  const folder = env['KUBEBUILDER_ASSETS'];
  if (!folder) throw new Failure('ControlPlaneUnavailable', 'not set');
  const missing = missingBinaries(folder);
  if (missing.length > 0)
    throw new Failure('ControlPlaneUnavailable', `${folder} has no ${missing.join(', no ')}`);
  return { folder, version: await probeVersion(folder, signal) };
}
