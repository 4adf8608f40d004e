/** For tests: an HTTP server that verifies signatures as the facade does and answers what a case wants. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import ssh2 from 'ssh2';
import { type Clock, systemClock } from '../lib/clock.ts';
import { publicKeyCache } from '../lib/signature/key-cache.ts';
import { generateKeyPair, type KeyPair } from '../lib/signature/keys.ts';
import { verifyRequest } from '../lib/signature/verify.ts';
import type { Context } from './context.ts';
import { run } from './run.ts';

export type Seen = Readonly<{
  method: string;
  path: string;
  query: Readonly<Record<string, string>>;
  body: unknown;
  idempotencyKey: string | undefined;
  /** Who signed; undefined when nobody did. */
  keyid: string | undefined;
  nonce: string | undefined;
}>;

export type Answer = Readonly<{
  status?: number;
  data?: unknown;
  /** Instead of `data`: the whole body. */
  raw?: string;
  headers?: Readonly<Record<string, string>>;
}>;

export type Facade = Readonly<{
  url: string;
  seen: Seen[];
  close: () => Promise<void>;
}>;

/** A bad signature is answered with 401 whatever `answer` would say; `answer` may hang up by answering 'HangUp'. */
export async function openFacade(
  answer: (seen: Seen) => Answer | 'HangUp',
  clock: Clock = systemClock,
): Promise<Facade> {
  const seen: Seen[] = [];
  const keys = publicKeyCache();
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request);
    const url = new URL(request.url ?? '/', `http://${request.headers.host}`);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([k, v]) => [k, String(v)]));
    const signable = {
      method: request.method ?? '',
      authority: url.host,
      path: url.pathname,
      query: url.search || '?',
      headers,
    };
    const verdict = verifyRequest(signable, { now: clock.now(), body, keys });
    const isSigned = headers['signature'] !== undefined;
    const call: Seen = {
      method: signable.method,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      body: body.length > 0 ? JSON.parse(body.toString()) : undefined,
      idempotencyKey: headers['idempotency-key'],
      keyid: verdict.outcome === 'Verified' ? verdict.keyid : undefined,
      nonce: verdict.outcome === 'Verified' ? verdict.nonce : undefined,
    };
    seen.push(call);
    const said = isSigned && verdict.outcome === 'Refused' ? aProblem(401, 'SignatureInvalid') : answer(call);
    if (said === 'HangUp') return void request.socket.destroy();
    const { status = 200, data, raw, headers: more = {} } = said;
    response.writeHead(status, { 'content-type': 'application/json', ...more });
    response.end(raw ?? JSON.stringify({ success: true, data }));
  };
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export function aProblem(status: number, code: string, more: Readonly<Record<string, unknown>> = {}): Answer {
  const body = {
    success: false,
    error: 'Do it another way.',
    code,
    type: `https://dcmarket.io/problems/${code}`,
    title: code,
    status,
    detail: `It is ${code}.`,
    retryable: false,
    ...more,
  };
  return { status, raw: JSON.stringify(body), headers: { 'content-type': 'application/problem+json' } };
}

export type Home = Readonly<{ folder: string; key: KeyPair; keyFile: string; remove: () => Promise<void> }>;

/** A home folder with a key in a file. */
export async function makeHome(): Promise<Home> {
  const folder = await mkdtemp(join(tmpdir(), 'dcmarket-cli-'));
  const key = generateKeyPair();
  const keyFile = join(folder, 'test.key');
  await writeFile(keyFile, `${key.seed}\n`, { mode: 0o600 });
  return { folder, key, keyFile, remove: () => rm(folder, { recursive: true }) };
}

export type Ran = Readonly<{ exitCode: number; stdout: string; stderr: string }>;

/** Runs one command line as a person at no terminal would. */
export async function dcm(
  home: Home,
  argv: readonly string[],
  change: Partial<Context> & { input?: string } = {},
): Promise<Ran> {
  const said = { stdout: '', stderr: '' };
  const { input = '', ...context } = change;
  const exitCode = await run(argv, {
    env: { DCM_KEY: home.keyFile },
    clock: systemClock,
    signal: new AbortController().signal,
    stdin: Readable.from([Buffer.from(input)]),
    stdout: { write: (text) => (said.stdout += text) },
    stderr: { write: (text) => (said.stderr += text) },
    homeFolder: home.folder,
    programFolder: home.folder,
    ...context,
  });
  return { exitCode, ...said };
}

export const aContractView = (change: Readonly<Record<string, unknown>> = {}) => ({
  contractId: 'c1d09e44'.repeat(4),
  name: 'vps-small-k3x9q2m7ta',
  displayName: null,
  description: null,
  labels: {},
  autoRenew: null,
  antiAffinity: null,
  extension: { pricing: 'Same', price: null, agreed: [], pendingHours: 0, message: null },
  powerState: 'Running',
  wishes: [],
  asked: { restart: 0, reinstall: 0, passwordReset: 0 },
  provider: { name: 'acme', displayName: 'Acme Hosting', pubkey: 'a'.repeat(64) },
  offering: { offeringId: 'acme/vps-small', title: 'VPS Small' },
  phase: 'Accepted',
  reason: 'NoEligibleAgent',
  message: 'No machine with 16 CPU is free in Europe right now.',
  conditions: [],
  createdAt: '2026-01-01T12:00:00Z',
  durationHours: 24,
  price: { amountMinor: 500, currency: 'EUR', per: 'Month' },
  paymentStatus: 'NotRequired',
  cancelRequested: false,
  epoch: 0,
  history: [{ at: '2026-01-01T12:00:00Z', from: null, to: 'Accepted', reason: 'Ordered' }],
  archived: false,
  ...change,
});

export const ACTIVE = {
  phase: 'Active',
  reason: 'Ready',
  message: 'Your machine runs.',
  access: { host: '198.51.100.7', port: 22, user: 'root', hostKeyFingerprint: null, verifiedAt: null },
  endsAt: '2026-01-31T12:00:00Z',
  history: ['Accepted', 'Provisioning', 'Provisioned', 'Active'].map((to) => ({
    at: '2026-01-01T12:00:09Z',
    from: null,
    to,
    reason: `Was${to}`,
  })),
};

/** An Ed25519 SSH key. ssh2 1.17 drops leading zeros of the public half, so one of 256 is unusable: try again. */
export function makeSshKey(): Readonly<{ private: string; public: string }> {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519');
    const key = ssh2.utils.parseKey(pair.private);
    if (key instanceof Error) continue;
    const signature = key.sign('probe');
    if (!(signature instanceof Error) && key.verify('probe', signature) === true) return pair;
  }
}
