/** A TCP proxy in front of the API server that can fall silent: no byte, no FIN, as when a network breaks. */
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { parse, stringify } from 'yaml';
import type { KubeconfigSource } from '../connection.ts';

export type FreezableProxy = Readonly<{
  /** The kubeconfig of the API server, through the proxy. */
  kubeconfig: KubeconfigSource;
  freeze: () => void;
  thaw: () => void;
  close: () => Promise<void>;
}>;

export async function startProxy(kubeconfigFile: string): Promise<FreezableProxy> {
  const config = parse(readFileSync(kubeconfigFile, 'utf8'));
  const cluster = config.clusters[0].cluster;
  const target = new URL(cluster.server);
  const sockets = new Set<Socket>();
  let isFrozen = false;

  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes) => to.write(bytes));
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      if (isFrozen) from.pause();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // listens on TCP, so it is one
  cluster.server = `https://127.0.0.1:${port}`;
  return {
    kubeconfig: { text: stringify(config) },
    freeze: () => {
      isFrozen = true;
      for (const socket of sockets) socket.pause();
    },
    thaw: () => {
      isFrozen = false;
      for (const socket of sockets) socket.resume();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
