/** TCP ports on the loopback address: free ones, remembered ones, and who has a busy one. */
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { z } from 'zod';
import { Failure } from '../failure.ts';
import { writeFileAtomically } from '../files.ts';
import { describeOwner, findPortOwner } from './port-owner.ts';

const LOOPBACK = '127.0.0.1';
const Remembered = z.record(z.string(), z.int().min(1).max(65535));

/** A port that nobody listens on right now. Another process may take it before it is used. */
export async function freePort(): Promise<number> {
  const port = await tryListen(0);
  if (port === undefined) throw new Failure('PortTaken', 'this machine has no free TCP port on 127.0.0.1');
  return port;
}

export async function isFree(port: number): Promise<boolean> {
  return (await tryListen(port)) !== undefined;
}

/**
 * The port that `name` had last time (in `file`), or a new one that is remembered from now on. A remembered
 * port that somebody else took meanwhile is replaced.
 */
export async function rememberedPort(file: string, name: string): Promise<number> {
  const known = readPorts(file);
  const last = known[name];
  if (last !== undefined && (await isFree(last))) return last;
  const others = Object.values(known);
  let port = await freePort();
  while (others.includes(port)) port = await freePort();
  mkdirSync(dirname(file), { recursive: true });
  writeFileAtomically(file, `${JSON.stringify({ ...readPorts(file), [name]: port }, null, 2)}\n`);
  return port;
}

/** Throws `PortTaken`, naming who listens on `port`; `flag` is the option that chooses another. */
export async function requireFreePort(port: number, flag: string): Promise<void> {
  if (await isFree(port)) return;
  const owner = findPortOwner(port);
  throw new Failure('PortTaken', `port ${port} is taken by ${describeOwner(owner)}`, {
    next: `Stop it, or choose another port with ${flag}.`,
  });
}

function readPorts(file: string): Record<string, number> {
  try {
    return Remembered.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return {};
  }
}

/** The port that was listened on for a moment; undefined when it is taken. */
function tryListen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => {
      const address = server.address();
      const taken = typeof address === 'object' && address ? address.port : undefined;
      server.close(() => resolve(taken));
    });
  });
}
