/** The lifetime of a request as an AbortSignal: it ends when the caller goes away or the facade stops. */
import type { FastifyReply } from 'fastify';

export function connectionSignal(reply: FastifyReply, stopping: AbortSignal): AbortSignal {
  const over = new AbortController();
  const end = (): void => over.abort();
  // Whoever left while the request was looked into sends no `close` any more.
  if (stopping.aborted || reply.raw.destroyed) {
    end();
    return over.signal;
  }
  stopping.addEventListener('abort', end, { once: true });
  // Of the answer, not of the socket: a kept-alive socket outlives many requests.
  reply.raw.once('close', () => {
    stopping.removeEventListener('abort', end);
    end();
  });
  return over.signal;
}
