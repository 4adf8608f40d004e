/**
 * JSON from strangers: parsed once, refused when it nests too deep, names a key twice (two readers would
 * disagree on which one counts) or names `__proto__`. Syntax is left to JSON.parse; the scan is linear.
 */
import { Problem } from '../../crds/problem.ts';

export const DEPTH_MAX = 24;

/** Undefined for an empty body. Throws Problem BadRequest with the place of the mistake. */
export function parseJson(raw: Buffer): unknown {
  if (raw.length === 0) return undefined;
  const text = decode(raw);
  if (text.trim() === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unreadable(error instanceof Error ? error.message : 'it is not JSON');
  }
  scan(text);
  return value;
}

function decode(raw: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(raw);
  } catch {
    throw unreadable('it is not UTF-8');
  }
}

/** `text` is valid JSON here, so every bracket matches and a string before a colon is a key. */
function scan(text: string): void {
  const open: (Set<string> | undefined)[] = [];
  let isKeyNext = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '{' || character === '[') {
      open.push(character === '{' ? new Set() : undefined);
      isKeyNext = character === '{';
      if (open.length > DEPTH_MAX) throw unreadable(`it nests deeper than ${DEPTH_MAX} levels`);
    } else if (character === '}' || character === ']') {
      open.pop();
      isKeyNext = false;
    } else if (character === ',') {
      isKeyNext = open.at(-1) !== undefined;
    } else if (character === '"') {
      const end = endOfString(text, at);
      if (isKeyNext) checkKey(text.slice(at, end + 1), open.at(-1));
      isKeyNext = false;
      at = end;
    }
  }
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}

function checkKey(literal: string, keys: Set<string> | undefined): void {
  const key = String(JSON.parse(literal));
  if (key === '__proto__') throw unreadable('a key may not be named __proto__');
  if (keys?.has(key)) throw unreadable(`the key "${key.slice(0, 80)}" is there twice`);
  keys?.add(key);
}

const unreadable = (why: string): Problem =>
  new Problem('BadRequest', `The body cannot be read: ${why}`, { next: 'Send a JSON object in UTF-8.' });
