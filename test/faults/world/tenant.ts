/** The tenant of one plan: rents and cancels through the balancer, and asks again until there is an answer. */
import { z } from 'zod';
import { generateKeyPair, type KeyPair } from '../../../lib/signature/keys.ts';
import { signRequest } from '../../../lib/signature/sign.ts';
import { SSH_KEY } from '../../cluster/api/harness.ts';
import type { Stage } from './stage.ts';

export type Tenant = Readonly<{
  key: KeyPair;
  /** Answers the contract's id, 32 hex digits. The same order however often it is asked. */
  rent: (offeringId: string) => Promise<string>;
  cancel: (contractId: string) => Promise<void>;
}>;

const Rented = z.object({ data: z.object({ contractId: z.string() }) });
const AGAIN_MS = 2000;
const TRIES_MAX = 40;

export function createTenant({ clock, proxy }: Stage): Tenant {
  const key = generateKeyPair();
  const idempotencyKey = `rent-${key.publicKey.slice(0, 16)}`;
  const callOnce = async (method: string, path: string, body?: object): Promise<unknown> => {
    const url = new URL(path, proxy.url);
    const bytes = body && Buffer.from(JSON.stringify(body));
    const signed = await signRequest({ method, url, body: bytes }, { seed: key.seed, now: clock.now() });
    const type = bytes ? { 'content-type': 'application/json' } : {};
    const headers = { ...type, ...signed, 'idempotency-key': idempotencyKey };
    const answer = await fetch(url, { method, headers, body: bytes ?? null });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text.slice(0, 300)}`);
    return JSON.parse(text);
  };
  /** An order is signed anew for each try: as `dcm` does. */
  const call = async (method: string, path: string, body?: object): Promise<unknown> => {
    for (let tries = 1; ; tries++) {
      try {
        return await callOnce(method, path, body);
      } catch (error) {
        if (tries >= TRIES_MAX) throw error;
        await clock.sleep(AGAIN_MS);
      }
    }
  };
  return {
    key,
    rent: async (offeringId) => {
      const body = { offeringId, sshPublicKey: SSH_KEY };
      return Rented.parse(await call('POST', '/api/v1/contracts', body)).data.contractId;
    },
    cancel: async (contractId) => {
      await call('PUT', `/api/v1/contracts/${contractId}/cancel`);
    },
  };
}
