/** A tenant whose client tries again, with the same Idempotency-Key, until it has an answer: as a client should. */
import { randomUUID } from 'node:crypto';
import { systemClock } from '../../../lib/clock.ts';
import { generateKeyPair, type KeyPair } from '../../../lib/signature/keys.ts';
import { signRequest } from '../../../lib/signature/sign.ts';

export type Tenant = Readonly<{
  key: KeyPair;
  /** Answers the contract's public id. */
  rent: (offeringId: string) => Promise<string>;
  cancel: (contractId: string) => Promise<void>;
  /** Asks for a new password; resolves when the agent has said that it is set. */
  resetPassword: (contractId: string) => Promise<void>;
}>;

export type Call = (
  method: string,
  path: string,
  options: Readonly<{ key?: KeyPair; body?: object; headers?: Readonly<Record<string, string>> }>,
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
) => Promise<Readonly<{ status: number; data: any; body: unknown }>>;

const SSH_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJ1dCB0aGlzIGlzIG9ubHkgYSB0ZXN0IGtleSBvZiBvdXJz test';
const CALL_MS = 5000;
const PATIENCE_MS = 60_000;
const AGAIN_MS = 100;

/** One signed request; status 0 when there was no answer. Never throws. */
export function caller(base: string): Call {
  return async (method, path, { key, body, headers = {} }) => {
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const url = new URL(path, base);
    const now = systemClock.now();
    const signed = key ? await signRequest({ method, url, body: bytes }, { seed: key.seed, now }) : {};
    try {
      const answer = await fetch(url, {
        method,
        headers: { ...(bytes ? { 'content-type': 'application/json' } : {}), ...signed, ...headers },
        body: bytes ?? null,
        signal: AbortSignal.timeout(CALL_MS),
      });
      const said = JSON.parse(await answer.text());
      return { status: answer.status, data: said.data, body: said };
    } catch (error) {
      return { status: 0, data: undefined, body: String(error) };
    }
  };
}

/** Tries again while the other side is not there or says that it may pass. */
export async function insist(call: Call, ...[method, path, options]: Parameters<Call>) {
  const untilMs = systemClock.monotonicMs() + PATIENCE_MS;
  for (;;) {
    const answer = await call(method, path, options);
    if (answer.status >= 200 && answer.status < 300) return answer.data;
    const passes = answer.status === 0 || answer.status === 429 || answer.status >= 500;
    if (!passes || systemClock.monotonicMs() >= untilMs)
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    await systemClock.sleep(AGAIN_MS);
  }
}

export function createTenant(url: string): Tenant {
  const key = generateKeyPair();
  const call = caller(url);
  return {
    key,
    rent: async (offeringId) => {
      const headers = { 'idempotency-key': randomUUID() };
      const body = { offeringId, sshPublicKey: SSH_KEY, durationHours: 24 };
      return (await insist(call, 'POST', '/api/v1/contracts', { key, headers, body })).contractId;
    },
    cancel: async (contractId) => {
      await insist(call, 'PUT', `/api/v1/contracts/${contractId}/cancel`, { key, body: {} });
    },
    resetPassword: async (contractId) => {
      const path = `/api/v1/contracts/${contractId}`;
      const headers = { 'idempotency-key': randomUUID() };
      await insist(call, 'POST', `${path}/reset-password`, { key, headers });
      const untilMs = systemClock.monotonicMs() + PATIENCE_MS;
      for (;;) {
        const { done, credentials } = await insist(call, 'GET', `${path}/credentials`, { key });
        if (done === 1 && credentials) return;
        if (systemClock.monotonicMs() >= untilMs) throw new Error(`no new password of ${contractId}`);
        await systemClock.sleep(AGAIN_MS);
      }
    },
  };
}
