/** Facades as processes of the operating system, and agents that call them: what load and races are made of. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'undici';
import { type ManagedProcess, startProcess } from '../../dev/processes/managed-process.ts';
import { freePort } from '../../dev/processes/ports.ts';
import { systemClock } from '../../lib/clock.ts';
import { generateKeyPair, type KeyPair } from '../../lib/signature/keys.ts';
import { eventually } from './eventually.ts';
import { fastSigner } from './fast-signer.ts';

export type Facade = Readonly<{ url: string; process: ManagedProcess; logFile: string }>;

export type Facades = Readonly<{ all: readonly Facade[]; close: () => Promise<void> }>;

const ROOT = join(import.meta.dirname, '..', '..');

/** Starts `count` facades on one cluster and waits until each is ready. */
export async function startFacades(
  count: number,
  env: Readonly<{
    kubeconfig: string;
    databaseUrl: string;
    namespace: string;
    more?: Readonly<Record<string, string>>;
  }>,
): Promise<Facades> {
  const folder = mkdtempSync(join(tmpdir(), 'dcmarket-facades-'));
  const all = await Promise.all(
    Array.from({ length: count }, async (_, index): Promise<Facade> => {
      const port = await freePort();
      const process = await startProcess({
        name: `facade-${index}`,
        command: globalThis.process.execPath,
        args: [join(ROOT, 'api/main.ts')],
        folders: { run: join(folder, 'run'), logs: join(folder, 'logs') },
        clock: systemClock,
        cwd: ROOT,
        env: {
          PATH: globalThis.process.env['PATH'],
          HOME: globalThis.process.env['HOME'],
          KUBECONFIG: env.kubeconfig,
          DATABASE_URL: env.databaseUrl,
          INSTALLATION_NAMESPACE: env.namespace,
          PORT: String(port),
          LOG_LEVEL: 'error',
          HEAD_START_SECONDS: '0', // agents that race are all to be let in
          ...env.more,
        },
      });
      return { url: `http://127.0.0.1:${port}`, process, logFile: process.logFile };
    }),
  );
  const close = async (): Promise<void> => {
    await Promise.all(all.map(({ process }) => process.stop()));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(all.map(({ url }) => eventually(() => expectReady(url), { withinMs: 30_000 })));
    return { all, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function expectReady(url: string): Promise<void> {
  const response = await fetch(`${url}/readyz`);
  if (!response.ok) throw new Error(`${url} is not ready: ${await response.text()}`);
}

export type Answer = Readonly<{ status: number; body: unknown }>;
export type Caller = Readonly<{
  key: KeyPair;
  call: (
    facade: Facade,
    request: { method: 'GET' | 'POST' | 'PUT' | 'DELETE'; path: string; body?: unknown },
  ) => Promise<Answer>;
}>;

/** Keep-alive connections that all callers of a test share, as agents on many hosts would each have one. */
export function createCallers(connections = 32): {
  caller: (key?: KeyPair) => Caller;
  close: () => Promise<void>;
} {
  const pools = new Map<string, Pool>();
  const poolOf = (url: string): Pool => {
    const known = pools.get(url) ?? new Pool(url, { connections });
    pools.set(url, known);
    return known;
  };
  return {
    caller: (key = generateKeyPair()) => {
      const sign = fastSigner(key);
      return {
        key,
        call: async ({ url }, { method, path, body }) => {
          const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
          const target = new URL(path, url);
          const headers = sign({ method, url: target, body: bytes, now: systemClock.now() });
          const response = await poolOf(url).request({
            method,
            path,
            headers: { ...headers, ...(bytes ? { 'content-type': 'application/json' } : {}) },
            ...(bytes ? { body: bytes } : {}),
          });
          return { status: response.statusCode, body: await response.body.json() };
        },
      };
    },
    close: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.close()));
    },
  };
}
