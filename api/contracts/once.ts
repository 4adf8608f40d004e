/**
 * What adds something to a contract is carried out once for an Idempotency-Key: the keys that were used last stand on
 * the object and are written together with the change, so that a repeat meets them on whichever replica, for as long as
 * the contract lives. Without the header the nonce of the signature is the key: a replay adds nothing either.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Contract } from '../../crds/contract/contract.ts';
import { ANNOTATION } from '../../crds/group.ts';
import { Problem } from '../../crds/problem.ts';

const KEYS_MAX = 32;
/** Hexadecimal digits of a hash that are kept: 96 bits. */
const HASH_LENGTH = 24;

export const IdempotencyHeaders = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(255)
    .regex(/^[\x21-\x7e]+$/)
    .optional()
    .describe('Repeat a request with the same key and body: it is carried out once.'),
});

export type Use = Readonly<{ key: string; body: unknown }>;

type Change = (contract: Contract) => Contract | undefined;

/** Whether this very request was carried out. Throws Problem IdempotencyKeyReused. */
export function isRepeat({ key, body }: Use, contract: Contract): boolean {
  const entry = entryOf({ key, body });
  const before = entriesOf(contract).find((known) => known.startsWith(`${shortHash(key)}:`));
  if (before !== undefined && before !== entry)
    throw keyReused('Use a new key for a new wish, or send the same body to repeat the old one.');
  return before === entry;
}

/** Undefined, as of what is done already, for a repeat. Throws Problem IdempotencyKeyReused. */
export const once =
  (use: Use, change: Change): Change =>
  (contract) => {
    if (isRepeat(use, contract)) return undefined;
    const changed = change(contract);
    if (!changed) return undefined;
    const used = [...entriesOf(contract), entryOf(use)].slice(-KEYS_MAX).join(' ');
    const annotations = { ...changed.metadata.annotations, [ANNOTATION.usedKeys]: used };
    return { ...changed, metadata: { ...changed.metadata, annotations } };
  };

const entryOf = ({ key, body }: Use): string => `${shortHash(key)}:${shortHash(canonical(body ?? null))}`;

const entriesOf = ({ metadata }: Contract): string[] =>
  (metadata.annotations?.[ANNOTATION.usedKeys] ?? '').split(' ').filter((entry) => entry !== '');

export const keyReused = (next: string): Problem =>
  new Problem('IdempotencyKeyReused', 'This Idempotency-Key was used for another request body.', { next });

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const shortHash = (text: string): string => sha256(text).slice(0, HASH_LENGTH);

/** The same text for the same values, in whatever order their keys were sent. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
