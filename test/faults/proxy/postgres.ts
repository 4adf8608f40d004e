/**
 * A proxy before PostgreSQL that sees each statement which writes: it may come late, be lost before it is carried
 * out, or lose its reply afterwards, with something done in between. It can also be down or say nothing at all.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { systemClock } from '../../../lib/clock.ts';
import { type FlakyProxy, openFlakyProxy } from '../../../store/flaky-proxy.ts';
import {
  asksForEncryption,
  createFramer,
  type Frame,
  isError,
  isReady,
  isRequestEnd,
  isWriting,
  sqlOf,
} from './postgres-wire.ts';

/** One request of a client that writes: a statement, or several that were sent together. */
export type Statement = Readonly<{
  /** Counts from 1 in the order of arrival. */
  n: number;
  sql: string;
}>;

export type StatementFault = Readonly<
  | { type: 'Pass' }
  | { type: 'Delay'; ms: number }
  /** The connection is cut before anything was forwarded. */
  | { type: 'Refuse' }
  /** Carried out, then the connection is cut. */
  | { type: 'LoseReply' }
  /** Carried out; `run` (kill the client, say) before the reply is lost or sent. Not run when it was refused. */
  | { type: 'AfterCommit'; run: () => Promise<void>; reply: 'Lose' | 'Send' }
>;

export type PostgresProxy = Pick<FlakyProxy, 'url' | 'fail' | 'heal' | 'close'> &
  Readonly<{
    statements: () => readonly Statement[];
    /** Asked once for each statement that writes from now on, instead of the rule before. */
    decide: (rule: (statement: Statement) => StatementFault) => void;
  }>;

type World = {
  readonly target: URL;
  readonly statements: Statement[];
  rule: (statement: Statement) => StatementFault;
};

export async function openPostgresProxy(databaseUrl: string): Promise<PostgresProxy> {
  const world: World = { target: new URL(databaseUrl), statements: [], rule: () => ({ type: 'Pass' }) };
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(world.target.port), world.target.hostname);
    for (const socket of [client, upstream]) sockets.add(socket);
    carry(world, client, upstream);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port); // listening on TCP, so neither a path nor null
  const front = await openFlakyProxy(url.href);
  return {
    url: front.url,
    fail: front.fail,
    heal: front.heal,
    close: async () => {
      await front.close();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
    statements: () => world.statements,
    decide: (rule) => {
      world.rule = rule;
    },
  };
}

/** Sent to the server and not yet answered, in order; undefined: nothing to see. */
type Pending = StatementFault | undefined;

function carry(world: World, client: Socket, upstream: Socket): void {
  const end = (): void => {
    client.destroy();
    upstream.destroy();
  };
  for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
  const pending: Pending[] = [];
  const fromClient = createFramer({ untyped: 1 });
  const fromServer = createFramer({ untyped: 0 });
  let request: Frame[] = [];
  let reply: Frame[] = [];

  const onRequest = async (frame: Frame): Promise<void> => {
    if (frame.type === undefined && asksForEncryption(frame.bytes)) return void client.write('N');
    request.push(frame);
    const isSpoken = frame.type !== undefined && !isRequestEnd(frame);
    if (isSpoken && request.some((one) => sqlOf(one) !== undefined)) return; // goes on until Sync
    const whole = request;
    request = [];
    const fault = isRequestEnd(frame) ? judge(world, whole) : undefined;
    if (fault?.type === 'Refuse') return end();
    if (fault?.type === 'Delay') await systemClock.sleep(fault.ms);
    if (isRequestEnd(frame)) pending.push(fault);
    upstream.write(Buffer.concat(whole.map(({ bytes }) => bytes)));
  };
  const onReply = async (frame: Frame): Promise<void> => {
    const fault = pending[0];
    if (fault?.type !== 'LoseReply' && fault?.type !== 'AfterCommit') {
      if (isReady(frame)) pending.shift();
      return void client.write(frame.bytes);
    }
    reply.push(frame);
    if (!isReady(frame)) return;
    const whole = reply;
    reply = [];
    pending.shift();
    const isCommitted = !whole.some(isError);
    if (isCommitted && fault.type === 'AfterCommit') await fault.run();
    if (isCommitted && (fault.type === 'LoseReply' || fault.reply === 'Lose')) return end();
    client.write(Buffer.concat(whole.map(({ bytes }) => bytes)));
  };
  inOrder(client, fromClient, onRequest);
  inOrder(upstream, fromServer, onReply);
}

/** One frame after the other, each when the one before is done with. */
function inOrder(
  socket: Socket,
  framesOf: (chunk: Buffer) => Frame[],
  treat: (frame: Frame) => Promise<void>,
): void {
  let before = Promise.resolve();
  socket.on('data', (chunk: Buffer) => {
    for (const frame of framesOf(chunk))
      before = before.then(() => treat(frame)).catch((error: unknown) => void socket.destroy(asError(error)));
  });
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** The server says that it is ready once after the login too, before it was asked for anything: that passes. */
function judge(world: World, frames: readonly Frame[]): Pending {
  const sql = frames.map(sqlOf).filter((text) => text !== undefined && isWriting(text));
  if (sql.length === 0) return undefined;
  const statement = { n: world.statements.length + 1, sql: sql.join('; ') };
  world.statements.push(statement);
  return world.rule(statement);
}
