/** A TCP proxy in front of PostgreSQL that a test can cut or freeze, as a stopped or hanging server does. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export type FlakyProxy = Readonly<{
  /** The database's URL by way of the proxy. */
  url: string;
  /** Cut: connections end and new ones are refused. Freeze: all stay open and nothing passes any more. */
  fail: (how: 'Cut' | 'Freeze') => Promise<void>;
  /** As it was before, on the same port; what was frozen is cut. */
  heal: () => Promise<void>;
  close: () => Promise<void>;
}>;

export async function openFlakyProxy(databaseUrl: string): Promise<FlakyProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let isFrozen = false;
  const server = createServer((client) => {
    sockets.add(client);
    client.on('error', () => client.destroy());
    if (isFrozen) return void client.pause();
    const upstream = connect(Number(target.port), target.hostname);
    sockets.add(upstream);
    upstream.on('error', () => client.destroy());
    client.pipe(upstream).pipe(client);
    client.on('close', () => upstream.destroy());
  });
  const listen = async (port: number): Promise<number> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port; // listening on TCP, so neither a path nor null
  };
  const cut = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  };
  const port = await listen(0);
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String(port);
  return {
    url: url.href,
    fail: async (how) => {
      if (how === 'Cut') return cut();
      isFrozen = true;
      for (const socket of sockets) {
        socket.unpipe();
        socket.pause();
      }
    },
    heal: async () => {
      await cut();
      isFrozen = false;
      await listen(port);
    },
    close: cut,
  };
}
