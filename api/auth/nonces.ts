/**
 * Nonces that this process has seen, each once per key. A signature counts for at most 120 s (60 s either way),
 * so two generations of that length are enough; memory is bounded, and when it is full new requests are refused
 * rather than old nonces forgotten. Replicas share nothing: there a replay meets idempotent or fenced work.
 */
import { hash } from 'node:crypto';
import { CREATED_WINDOW_SECONDS } from '../../lib/signature/verify.ts';

const GENERATION_MS = 2 * CREATED_WINDOW_SECONDS * 1000;
const PER_GENERATION_MAX = 2_000_000;

export type NonceUse = 'Fresh' | 'Replayed' | 'Full';

export class NonceStore {
  #current = new Set<number>();
  #previous = new Set<number>();
  #startedAtMs = Number.NEGATIVE_INFINITY;
  readonly #max: number;

  constructor(options: Readonly<{ perGenerationMax?: number }> = {}) {
    this.#max = options.perGenerationMax ?? PER_GENERATION_MAX;
  }

  get size(): number {
    return this.#current.size + this.#previous.size;
  }

  /** Notes the nonce. `nowMs` is monotonic, so that a corrected clock forgets nothing early. */
  use({ keyid, nonce, nowMs }: Readonly<{ keyid: string; nonce: string; nowMs: number }>): NonceUse {
    this.#rotate(nowMs);
    const digest = fingerprint(keyid, nonce);
    if (this.#current.has(digest) || this.#previous.has(digest)) return 'Replayed';
    if (this.#current.size >= this.#max) return 'Full';
    this.#current.add(digest);
    return 'Fresh';
  }

  #rotate(nowMs: number): void {
    const ageMs = nowMs - this.#startedAtMs;
    if (ageMs < GENERATION_MS) return;
    this.#previous = ageMs < 2 * GENERATION_MS ? this.#current : new Set();
    this.#current = new Set();
    this.#startedAtMs = nowMs;
  }
}

/** 48 bits: of a million nonces a new one looks replayed by chance once in 280 million. */
const fingerprint = (keyid: string, nonce: string): number =>
  hash('sha256', `${keyid}/${nonce}`, 'buffer').readUIntBE(0, 6);
