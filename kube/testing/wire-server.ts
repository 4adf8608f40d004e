/**
 * A server for the bytes that a real API server cannot be made to send: lines cut anywhere, silence, an ERROR in a
 * 200 stream. A test writes the script of its answers; nothing of Kubernetes is imitated.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { KubeconfigSource } from '../connection.ts';

export type Respond = (request: IncomingMessage & { url: string }, response: ServerResponse) => void;

export type WireServer = Readonly<{
  kubeconfig: KubeconfigSource;
  port: number;
  /** `METHOD /path?query` of every request so far. */
  requests: readonly string[];
  connections: () => number;
  close: () => Promise<void>;
}>;

export async function startWireServer(respond: Respond, wantedPort = 0): Promise<WireServer> {
  const requests: string[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    const url = request.url ?? '/';
    requests.push(`${request.method} ${url}`);
    respond(Object.assign(request, { url }), response);
  });
  server.on('connection', () => {
    connections++;
  });
  await new Promise<void>((resolve) => server.listen(wantedPort, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // listens on TCP, so it is one
  return {
    kubeconfig: { text: kubeconfigOf(`http://127.0.0.1:${port}`) },
    port,
    requests,
    connections: () => connections,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function sendJson(response: ServerResponse, body: unknown, status = 200, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

export const kubeconfigOf = (server: string): string =>
  JSON.stringify({
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace: 'home' } }],
    clusters: [{ name: 'test', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'test', user: { token: 'secret' } }],
  });
