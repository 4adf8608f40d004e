/** Key objects by public key, least recently used out first: a caller can make keys up, memory stays bounded. */
import { publicKeyObject } from './keys.ts';

export class KeyCache<K> {
  readonly #keys = new Map<string, K>();
  readonly #max: number;
  readonly #load: (publicKey: string) => K;

  constructor(load: (publicKey: string) => K, max = 10_000) {
    this.#load = load;
    this.#max = max;
  }

  /** The key object; undefined when the bytes are no usable key. */
  get(publicKey: string): K | undefined {
    let key = this.#keys.get(publicKey);
    if (key === undefined) {
      try {
        key = this.#load(publicKey);
      } catch {
        // Not a point on the curve: the caller answers as for any other bad signature.
        return undefined;
      }
    } else {
      this.#keys.delete(publicKey);
    }
    this.#keys.set(publicKey, key);
    if (this.#keys.size > this.#max) {
      const oldest = this.#keys.keys().next();
      if (!oldest.done) this.#keys.delete(oldest.value);
    }
    return key;
  }
}

export const publicKeyCache = (max?: number): KeyCache<ReturnType<typeof publicKeyObject>> =>
  new KeyCache(publicKeyObject, max);
