/**
 * What answers SSH for the machines of a ledger: one real SSH server on loopback, asked in each machine's name
 * through a port of its own. A machine that does not run answers nobody, so nobody can vouch for it.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import ssh2 from 'ssh2';
import type { Door } from './hypervisor.ts';
import type { Ledger, Machine } from './ledger.ts';

export type SshDoors = Readonly<{
  /** Opens the machine's port when it has none yet. */
  door: (machine: Machine) => Promise<Door>;
  close: () => Promise<void>;
}>;

export function createSshDoors(ledger: Ledger): SshDoors {
  const key = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 });
  const blob = Buffer.from(key.public.split(' ')[1] ?? '', 'base64');
  const hash = createHash('sha256').update(blob).digest('base64').replace(/=+$/, '');
  const ssh = new ssh2.Server({ hostKeys: [key.private] }, (client) => client.on('error', () => undefined));
  const doors = new Map<string, Promise<Readonly<{ server: Server; port: number }>>>();
  const sockets = new Set<Socket>();

  const open = async ({ host, externalId }: Machine) => {
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
      if (ledger.find(host, externalId)?.state === 'Running') ssh.injectSocket(socket);
      else socket.destroy();
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return { server, port: (server.address() as AddressInfo).port }; // listening on TCP, so neither a path nor null
  };
  const shut = async ({ server }: Readonly<{ server: Server }>): Promise<void> => {
    await new Promise((resolve) => server.close(resolve));
  };
  return {
    door: async (machine) => {
      const name = `${machine.host}/${machine.externalId}`;
      const opened = doors.get(name) ?? open(machine);
      doors.set(name, opened);
      return { host: '127.0.0.1', port: (await opened).port, hostKeyFingerprint: `SHA256:${hash}` };
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all([...doors.values()].map(async (opened) => shut(await opened)));
    },
  };
}
