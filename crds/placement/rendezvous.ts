/**
 * Breaks ties: each pair of contract and agent has a number of its own, the same in every process. Equal agents so
 * share the contracts among them, and one that comes or goes moves only its own share. Not for secrets.
 */

/** 32 bits of a text: FNV-1a. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

/** The number of a pair, from the hashes of its parts; the finalizer of MurmurHash3 spreads it. */
export function pairOf(a: number, b: number): number {
  let hash = Math.imul(a, 0x9e3779b1) ^ b;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
