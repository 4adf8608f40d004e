/**
 * The client of one API server: typed resources on one pooled dispatcher, a deadline on every call, and what the
 * answers teach about the server's clock. Views of it (`guarded`) share the pool; a `fork` has its own.
 */
import { type Clock, systemClock } from '../lib/clock.ts';
import { type ClockSkew, createSkewEstimate } from './clock-skew.ts';
import { type KubeconfigSource, openConnection } from './connection.ts';
import type { KubeObject } from './object.ts';
import { ignoreObservations, type Observe } from './observation.ts';
import {
  exchange,
  openStream,
  type RawAnswer,
  type RawRequest,
  type StreamRequest,
  type Transport,
} from './request.ts';
import { createResourceClient, type ResourceClient, type ResourceType } from './resource.ts';

export type KubeClientOptions = Readonly<{
  kubeconfig: KubeconfigSource;
  context?: string | undefined;
  observe?: Observe | undefined;
  clock?: Clock | undefined;
  /** Of every call that names no other; 30 s by default. */
  requestTimeoutMs?: number | undefined;
  userAgent?: string | undefined;
  /** Upper bound of pooled connections, watches included; 64 by default. */
  connectionsMax?: number | undefined;
}>;

export type KubeClient = Readonly<{
  /** The API server's address, for messages: scheme, host and port. */
  server: string;
  /** The namespace of the kubeconfig's context, or of the pod. */
  namespace: string | undefined;
  resource: <T extends KubeObject>(type: ResourceType) => ResourceClient<T>;
  /** Anything that is no resource: `/version`, `/readyz`, discovery. */
  raw: (request: RawRequest) => Promise<RawAnswer>;
  /** The body of a GET in chunks, for watches and logs. */
  stream: (request: StreamRequest) => Promise<AsyncIterable<Uint8Array>>;
  /** Undefined before the first answer. */
  clockSkew: () => ClockSkew | undefined;
  /** The same client, but `check` runs before each write and stops it by throwing (leadership lost). */
  guarded: (check: () => void) => KubeClient;
  /** A client of the same server on connections of its own; whoever forks closes it. */
  fork: (overrides?: Partial<Omit<KubeClientOptions, 'kubeconfig'>>) => KubeClient;
  /** Cuts every request and watch of this client. */
  close: () => Promise<void>;
}>;

/** Throws when the kubeconfig cannot be read or names no cluster; connects to nothing yet. */
export function createKubeClient(options: KubeClientOptions): KubeClient {
  const { clock = systemClock, observe = ignoreObservations } = options;
  const transport: Transport = {
    connection: openConnection({
      kubeconfig: options.kubeconfig,
      context: options.context,
      connectionsMax: options.connectionsMax ?? 64,
      clock,
      observe,
    }),
    clock,
    observe,
    skew: createSkewEstimate(),
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    userAgent: options.userAgent ?? 'dcmarket',
  };
  return clientOn(transport, options, () => {});
}

function clientOn(transport: Transport, options: KubeClientOptions, check: () => void): KubeClient {
  const client: KubeClient = {
    server: transport.connection.origin,
    namespace: transport.connection.namespace,
    resource: (type) => createResourceClient(client, type),
    raw: async (request) => {
      if (request.method !== 'GET') check();
      return exchange(transport, request);
    },
    stream: (request) => openStream(transport, request),
    clockSkew: () => transport.skew.current(),
    guarded: (inner) =>
      clientOn(transport, options, () => {
        check();
        inner();
      }),
    fork: (overrides) => createKubeClient({ ...options, ...overrides, kubeconfig: options.kubeconfig }),
    close: () => transport.connection.close(),
  };
  return client;
}
