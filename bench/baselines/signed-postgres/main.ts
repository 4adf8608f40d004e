/**
 * The reference design behind the same door as ours: an HTTP server that verifies the same signature, refuses
 * replays, and takes the row. No routing, no schema, no session: less than any real server does.
 */
import { createServer, type IncomingMessage } from 'node:http';
import { Pool } from 'pg';
import { z } from 'zod';
import { NonceStore } from '../../../api/auth/nonces.ts';
import { systemClock } from '../../../lib/clock.ts';
import { publicKeyCache } from '../../../lib/signature/key-cache.ts';
import { verifyRequest } from '../../../lib/signature/verify.ts';
import { claimRow } from '../pg-lock.ts';

const Environment = z.object({ PORT: z.coerce.number().int(), DATABASE_URL: z.url() });
const Body = z.strictObject({ id: z.string() });
/** Few connections do better on one contested row than many. */
const CONNECTIONS = 20;

const { PORT, DATABASE_URL } = Environment.parse(process.env);
const pool = new Pool({ connectionString: DATABASE_URL, max: CONNECTIONS });
const nonces = new NonceStore();
const keys = publicKeyCache();

async function answer(request: IncomingMessage): Promise<{ status: number; data: object }> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer); // a request without an encoding gives Buffers
  const body = Buffer.concat(chunks);
  const headers = request.headers as Record<string, string | undefined>; // none that is covered comes twice
  const path = request.url ?? '/';
  const signable = {
    method: request.method ?? '',
    authority: headers['host'] ?? '',
    path,
    query: '?',
    headers,
  };
  const result = verifyRequest(signable, { now: systemClock.now(), body, keys });
  if (result.outcome === 'Refused') return { status: 401, data: result };
  const use = nonces.use({ ...result, nowMs: systemClock.monotonicMs() });
  if (use !== 'Fresh') return { status: 401, data: { use } };
  const epoch = await claimRow(pool, Body.parse(JSON.parse(body.toString())).id, result.keyid);
  return epoch === undefined ? { status: 409, data: { acquired: false } } : { status: 200, data: { epoch } };
}

const server = createServer((request, reply) => {
  answer(request).then(
    ({ status, data }) =>
      reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ data })),
    (error: unknown) => reply.writeHead(500).end(JSON.stringify({ error: String(error) })),
  );
});
server.listen(PORT, '127.0.0.1');
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
  void pool.end();
});
