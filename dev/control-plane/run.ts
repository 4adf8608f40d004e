/**
 * Runs etcd and kube-apiserver from the given binaries, both on 127.0.0.1 and only with certificates. With
 * the same `folder` a second start has the same data, ports, certificates and kubeconfig. Whoever starts it
 * stops it, after its clients: an open watch makes the API server slow to go.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { withDeadline } from '../../lib/abort.ts';
import type { Context } from '../context.ts';
import {
  failOnExit,
  type ManagedProcess,
  type ProcessFolders,
  startProcess,
} from '../processes/managed-process.ts';
import { rememberedPort } from '../processes/ports.ts';
import { waitUntil } from '../processes/wait-until.ts';
import {
  type CertificateFiles,
  ensureAuthority,
  ensureLeaf,
  ensureServiceAccountKey,
} from './certificates.ts';
import { prepareEtcdData } from './etcd-data.ts';
import { apiserverFlags, etcdFlags } from './flags.ts';
import { writeKubeconfig } from './kubeconfig.ts';

export type ControlPlaneOptions = Readonly<{
  binaries: Readonly<{ kubeApiserver: string; etcd: string }>;
  /** Holds data, certificates, ports and kubeconfigs. */
  folder: string;
  folders: ProcessFolders;
  /** False only for data that nobody needs after a crash of the machine. Default true. */
  fsync?: boolean;
  /** Flags for the API server beyond ours, as `--name=value`. */
  apiserverArgs?: readonly string[];
  /** Default `FOLDER/kubeconfig`. */
  kubeconfigFile?: string;
}>;

/** Who a client certificate says its holder is; letters, digits, `-`, `.` and `_` in the name. */
export type User = Readonly<{ name: string; groups?: readonly string[] }>;

export type ControlPlane = Readonly<{
  /** `https://127.0.0.1:PORT` */
  url: string;
  /** File of a cluster administrator. */
  kubeconfig: string;
  /** A kubeconfig of its own for `name`, which RBAC must give its rights; answers the file. */
  addUser: (user: User) => Promise<string>;
  /** Where etcd listens and what opens it, for measurements. */
  etcd: Readonly<{ url: string; authority: string; client: CertificateFiles }>;
  /** As they run now. */
  readonly processes: Readonly<{ etcd: ManagedProcess; apiserver: ManagedProcess }>;
  /** SIGKILL, and after `downMs` a new start on the same data and ports; resolves when the API server is ready. */
  kill: (which: 'etcd' | 'apiserver', options: Readonly<{ downMs: number }>) => Promise<void>;
  stop: () => Promise<void>;
}>;

const READY_MS = 60_000;
const PROBE_MS = 2_000;
const LOOPBACK_NAMES = ['127.0.0.1', '::1', 'localhost', 'kubernetes.default.svc'];

/** Resolves when `/readyz` answers 200. Throws `ProcessExited` or `NotReadyInTime`, with nothing left running. */
export async function startControlPlane(
  context: Context,
  options: ControlPlaneOptions,
): Promise<ControlPlane> {
  const { folder, folders, binaries, fsync = true } = options;
  const { clock, env, signal } = context;
  mkdirSync(folder, { recursive: true });
  const now = clock.now();
  const pki = join(folder, 'pki');
  const authority = await ensureAuthority(pki, 'kubernetes-ca', now);
  const etcdAuthority = await ensureAuthority(pki, 'etcd-ca', now);
  const server = { usage: 'server', names: LOOPBACK_NAMES } as const;
  const serving = await ensureLeaf(
    pki,
    authority,
    { ...server, file: 'apiserver', commonName: 'kube-apiserver' },
    now,
  );
  const etcdServing = await ensureLeaf(
    pki,
    etcdAuthority,
    { ...server, file: 'etcd', commonName: 'etcd' },
    now,
  );
  const etcdClient = await ensureLeaf(
    pki,
    etcdAuthority,
    { file: 'etcd-client', commonName: 'kube-apiserver', usage: 'client' },
    now,
  );
  const admin = await ensureLeaf(
    pki,
    authority,
    { file: 'admin', commonName: 'admin', organizations: ['system:masters'], usage: 'client' },
    now,
  );
  const portsFile = join(folder, 'ports.json');
  const ports = {
    etcd: await rememberedPort(portsFile, 'etcd'),
    peer: await rememberedPort(portsFile, 'etcd-peer'),
    apiserver: await rememberedPort(portsFile, 'kube-apiserver'),
  };
  const url = `https://127.0.0.1:${ports.apiserver}`;
  const etcdUrl = `https://127.0.0.1:${ports.etcd}`;

  const data = prepareEtcdData(join(folder, 'etcd'));
  const etcdOptions = {
    name: 'etcd',
    command: binaries.etcd,
    args: etcdFlags({
      dataFolder: data.folder,
      url: etcdUrl,
      peerUrl: `https://127.0.0.1:${ports.peer}`,
      serving: etcdServing,
      authority: etcdAuthority,
      fsync,
    }),
    folders,
    clock,
    env: { PATH: env['PATH'] },
  };
  let etcd = await startProcess(etcdOptions);
  const started: ManagedProcess[] = [etcd];
  const stop = async (): Promise<void> => {
    for (const process of started.toReversed()) await process.stop();
  };
  try {
    // Started without waiting for etcd: it tries again until etcd answers.
    const apiserverOptions = {
      name: 'kube-apiserver',
      command: binaries.kubeApiserver,
      args: [
        ...apiserverFlags({
          port: ports.apiserver,
          etcd: { url: etcdUrl, authority: etcdAuthority.certificate, client: etcdClient },
          serving,
          clientAuthority: authority.certificate,
          serviceAccount: ensureServiceAccountKey(pki),
          certificateFolder: pki,
        }),
        ...(options.apiserverArgs ?? []),
      ],
      folders,
      clock,
      env: { PATH: env['PATH'] },
    };
    let apiserver = await startProcess(apiserverOptions);
    started.push(apiserver);
    const ready = async (): Promise<void> => {
      const over = new AbortController(); // ends the polling when one of them has died
      const probing = { ...context, signal: AbortSignal.any([signal, over.signal]) };
      await Promise.race([
        waitUntilReady(probing, { url, authority, admin }),
        failOnExit(etcd),
        failOnExit(apiserver),
      ]).finally(() => over.abort());
    };
    await ready();
    data.served();
    const kubeconfig = writeKubeconfig(options.kubeconfigFile ?? join(folder, 'kubeconfig'), {
      server: url,
      authorityFile: authority.certificate,
      user: 'admin',
      client: admin,
    });
    return {
      url,
      kubeconfig,
      etcd: { url: etcdUrl, authority: etcdAuthority.certificate, client: etcdClient },
      get processes() {
        return { etcd, apiserver };
      },
      kill: async (which, { downMs }) => {
        const victim = which === 'etcd' ? etcd : apiserver;
        process.kill(victim.pid, 'SIGKILL');
        await victim.exited;
        await clock.sleep(downMs, { signal });
        if (which === 'etcd') etcd = await startProcess(etcdOptions);
        else apiserver = await startProcess(apiserverOptions);
        started.splice(0, started.length, etcd, apiserver);
        await ready();
      },
      addUser: (user) => addUser({ folder, url, now: clock.now() }, user),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * A kubeconfig for `name` in `groups`, of the control plane whose data is in `folder`; answers the file. Also
 * for another process than the one that started it.
 */
export async function addUser(
  { folder, url, now }: { folder: string; url: string; now: Date },
  { name, groups = [] }: User,
): Promise<string> {
  const users = join(folder, 'users');
  const authority = await ensureAuthority(join(folder, 'pki'), 'kubernetes-ca', now);
  const leaf = { file: name, commonName: name, organizations: groups, usage: 'client' } as const;
  const client = await ensureLeaf(users, authority, leaf, now);
  const file = join(users, `${name}.kubeconfig`);
  return writeKubeconfig(file, { server: url, authorityFile: authority.certificate, user: name, client });
}

async function waitUntilReady(
  { clock, signal }: Context,
  { url, authority, admin }: { url: string; authority: CertificateFiles; admin: CertificateFiles },
): Promise<void> {
  const dispatcher = new Agent({
    connect: {
      ca: readFileSync(authority.certificate),
      cert: readFileSync(admin.certificate),
      key: readFileSync(admin.key),
    },
  });
  const probe = async (): Promise<void> => {
    const { statusCode, body } = await request(`${url}/readyz`, {
      dispatcher,
      signal: withDeadline(signal, PROBE_MS),
    });
    const text = await body.text();
    if (statusCode === 200) return;
    const failing = text.split('\n').filter((line) => line.startsWith('[-]'));
    throw new Error(`/readyz answers ${statusCode} ${failing.join(', ')}`);
  };
  try {
    await waitUntil(probe, { what: 'kube-apiserver', clock, signal, timeoutMs: READY_MS });
  } finally {
    await dispatcher.close();
  }
}
