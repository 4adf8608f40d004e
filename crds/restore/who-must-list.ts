/**
 * Whose listing the resolution of a restore waits for. The agent that revealed it: it has what etcd lost. The agent
 * of every machine that PostgreSQL knows: a tenant pays for it. And, for some minutes, whoever was heard since: it
 * lists within seconds, and may have a machine that was reported while PostgreSQL was down. One that beats and never
 * lists does not hold everybody. Nobody waits for a revoked agent. Source: docs/contract.md, 12.
 */
import type { World } from './world.ts';

/** `name`: `namespace/name`, since two providers may call theirs the same. */
export type KnownAgent = Readonly<{ uid: string; name: string }>;

export type ListingFacts = Readonly<{
  world: World;
  /** Agents of the machines that PostgreSQL knows as live. */
  storeAgents: ReadonlySet<string>;
  /** Agents whose heartbeat was seen since the generation rose; nobody is waited for longer than `heardForMs` for that alone. */
  heard: readonly KnownAgent[];
  heardForMs: number;
  /** Agents whose listing counts. */
  listed: ReadonlySet<string>;
  /** `namespace/name`. Undefined: etcd does not know it any more. */
  nameOf: (agentUID: string) => string | undefined;
  /** Its key is refused: it will never list. */
  isRevoked: (agentUID: string) => boolean;
  /** So long listings could be taken by now: while PostgreSQL is down none can. */
  waitedMs: number;
}>;

/** Who is missing still, each once; a person's word in `goOnWithout` takes one off. */
export function missingListings(facts: ListingFacts): KnownAgent[] {
  const { world, storeAgents, heard, heardForMs, listed, nameOf, isRevoked, waitedMs } = facts;
  const there = waitedMs > heardForMs ? [] : heard.map(({ uid }) => uid);
  const revealer = world.revealedBy === undefined ? [] : [world.revealedBy];
  const awaited = new Set([...revealer, ...storeAgents, ...there]);
  return [...awaited]
    .filter((uid) => !listed.has(uid) && !isRevoked(uid))
    .map((uid) => ({ uid, name: nameOf(uid) ?? 'unknown' }))
    .filter(({ uid, name }) => !world.goOnWithout.includes(uid) && !world.goOnWithout.includes(name));
}

const NAMED_MAX = 10;

/** For people: who is waited for, and what ends the waiting. */
export function describeMissing(missing: readonly KnownAgent[]): string {
  const named = missing.slice(0, NAMED_MAX).map(({ name, uid }) => `${name} (${uid})`);
  const more = missing.length > NAMED_MAX ? ` and ${missing.length - NAMED_MAX} more` : '';
  return `the inventory of ${named.join(', ')}${more}`;
}
