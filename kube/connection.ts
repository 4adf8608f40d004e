/**
 * Where the API server is and how to prove who we are. Loading a kubeconfig and authenticating (tokens, client
 * certificates, exec plug-ins, in-cluster) is left to @kubernetes/client-node; connections are not: it opens a
 * new one per request. Here one pooled dispatcher is kept until CA, client certificate or server name change.
 */
import type { RequestOptions } from 'node:https';
import { HttpMethod, KubeConfig, RequestContext } from '@kubernetes/client-node';
import { Agent, type Dispatcher } from 'undici';
import type { Clock } from '../lib/clock.ts';
import { KubeError } from './error.ts';
import type { Observe } from './observation.ts';

export type KubeconfigSource = Readonly<{ file: string } | { text: string }> | 'InCluster';

export type ConnectionOptions = Readonly<{
  kubeconfig: KubeconfigSource;
  /** Which context of the kubeconfig; its current one by default. */
  context?: string | undefined;
  connectionsMax: number;
  clock: Clock;
  observe: Observe;
}>;

export type Credentials = Readonly<{ dispatcher: Dispatcher; headers: Readonly<Record<string, string>> }>;

export type Connection = Readonly<{
  /** Scheme, host and port. */
  origin: string;
  host: string;
  /** What the server's URL has behind the host (Rancher and other proxies), without a slash at the end. */
  pathPrefix: string;
  /** The namespace of the context, or of the pod. */
  namespace: string | undefined;
  /** What the next request goes through; re-read from files and plug-ins every 10 s. */
  credentials: () => Promise<Credentials>;
  /** The API server answered 401: load the kubeconfig afresh before the next request. */
  refused: () => void;
  close: () => Promise<void>;
}>;

/** How long files, tokens and plug-ins are trusted before they are looked at again. */
const CREDENTIALS_FRESH_MS = 10_000;

export function openConnection(options: ConnectionOptions): Connection {
  const { clock, observe } = options;
  let config = loadConfig(options);
  const cluster = clusterOf(config);
  const url = urlOf(cluster, options);
  const pools = new Set<Dispatcher>();
  let current: { credentials: Credentials; identity: string } | undefined;
  let freshUntilMs = 0;
  let pending: Promise<Credentials> | undefined;
  let isRefused = false;
  let isClosed = false;

  async function refresh(): Promise<Credentials> {
    if (isRefused) config = loadConfig(options); // forgets what an exec plug-in answered
    const wasRefused = isRefused;
    isRefused = false;
    const tls: RequestOptions = {};
    await config.applyToHTTPSOptions(tls);
    const headers = headersOf(tls);
    const identity = identityOf(tls);
    if (isClosed) throw closedError(url.host);
    if (current?.identity === identity) {
      current = { identity, credentials: { dispatcher: current.credentials.dispatcher, headers } };
    } else {
      if (current) observe({ type: 'CredentialsReloaded', host: url.host, because: 'Changed' });
      // The old pool closes once its requests are through; a watch on it lives on until its server timeout.
      if (current) void retire(pools, current.credentials.dispatcher);
      const dispatcher = await createDispatcher(config, { tls, connectionsMax: options.connectionsMax });
      pools.add(dispatcher);
      current = { identity, credentials: { dispatcher, headers } };
    }
    if (wasRefused) observe({ type: 'CredentialsReloaded', host: url.host, because: 'Unauthorized' });
    freshUntilMs = clock.monotonicMs() + CREDENTIALS_FRESH_MS;
    return current.credentials;
  }

  return {
    origin: url.origin,
    host: url.host,
    pathPrefix: url.pathname.replace(/\/+$/, ''),
    namespace: config.getContextObject(config.getCurrentContext())?.namespace,
    credentials: () => {
      if (isClosed) return Promise.reject(closedError(url.host));
      if (current && clock.monotonicMs() < freshUntilMs) return Promise.resolve(current.credentials);
      pending ??= refresh().finally(() => {
        pending = undefined;
      });
      return pending;
    },
    refused: () => {
      isRefused = true;
      freshUntilMs = 0;
    },
    close: async () => {
      isClosed = true;
      await Promise.all([...pools].map((pool) => pool.destroy()));
    },
  };
}

function loadConfig({ kubeconfig, context }: ConnectionOptions): KubeConfig {
  const config = new KubeConfig();
  if (kubeconfig === 'InCluster') config.loadFromCluster();
  else if ('file' in kubeconfig) config.loadFromFile(kubeconfig.file);
  else config.loadFromString(kubeconfig.text);
  if (context !== undefined) config.setCurrentContext(context);
  return config;
}

function clusterOf(config: KubeConfig): { server: string } {
  const cluster = config.getCurrentCluster();
  if (cluster) return cluster;
  throw new KubeError({
    status: 0,
    reason: 'Malformed',
    message: `the kubeconfig has no cluster for its context ${JSON.stringify(config.getCurrentContext())}`,
  });
}

/** Outside of a pod the library makes a URL of variables that are not there. */
function urlOf({ server }: { server: string }, { kubeconfig }: ConnectionOptions): URL {
  if (URL.canParse(server)) return new URL(server);
  const message =
    kubeconfig === 'InCluster'
      ? 'no kubeconfig was named, and this is no pod: set KUBECONFIG to a kubeconfig file'
      : `the kubeconfig has ${JSON.stringify(server)} as the server of its cluster, which is no URL`;
  throw new KubeError({ status: 0, reason: 'Malformed', message });
}

function headersOf({ headers, auth }: RequestOptions): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers ?? {})) result[name.toLowerCase()] = String(value);
  if (auth) result['authorization'] ??= `Basic ${Buffer.from(auth).toString('base64')}`;
  return result;
}

/** Two options with the same identity may share connections. */
function identityOf({ ca, cert, key, servername, rejectUnauthorized }: RequestOptions): string {
  return JSON.stringify([ca, cert, key, servername, rejectUnauthorized].map((part) => String(part)));
}

async function createDispatcher(
  config: KubeConfig,
  { tls, connectionsMax }: { tls: RequestOptions; connectionsMax: number },
): Promise<Dispatcher> {
  const cluster = config.getCurrentCluster();
  if (cluster?.proxyUrl) {
    const context = new RequestContext(cluster.server, HttpMethod.GET);
    await config.applySecurityAuthentication(context); // builds the HTTP or SOCKS proxy for us
    const dispatcher = context.getDispatcher();
    if (dispatcher) return dispatcher;
  }
  const { ca, cert, key, passphrase, servername, rejectUnauthorized } = tls;
  const given = Object.entries({ ca, cert, key, passphrase, servername, rejectUnauthorized }).filter(
    ([, value]) => value !== undefined,
  );
  return new Agent({
    connections: connectionsMax,
    // One request per connection: a watch must not share flow control, or a stall, with anything else.
    allowH2: false,
    pipelining: 1,
    keepAliveTimeout: 60_000,
    connect: {
      ...Object.fromEntries(given),
      keepAlive: true,
      keepAliveInitialDelay: 30_000,
      timeout: 10_000,
    },
  });
}

async function retire(pools: Set<Dispatcher>, dispatcher: Dispatcher): Promise<void> {
  await dispatcher.close();
  pools.delete(dispatcher);
}

const closedError = (host: string): KubeError =>
  new KubeError({ status: 0, reason: 'ConnectionLost', message: `the client of ${host} is closed` });
