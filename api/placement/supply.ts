/**
 * The pools and agents of each namespace, ready to be placed on. Changes only mark what they concern; whoever asks
 * next has those agents made anew and everything else as it was. What passes by time alone (a Lease that grows
 * old) is looked at when the first of them is due.
 */
import type { Agent } from '../../crds/agent.ts';
import type { AgentPool } from '../../crds/agent-pool.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import { lookupKeys } from '../../crds/contract/eligibility.ts';
import { LABEL } from '../../crds/group.ts';
import { loadOf } from '../../crds/placement/load.ts';
import { type PreparedAgent, prepareAgent, type Supply, supplyOf } from '../../crds/placement/supply.ts';
import type { Informer } from '../../kube/informer.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Caches } from '../caches.ts';
import type { Lease } from '../clients.ts';
import { HEARD_FOR_MS, type Presence, presenceOf } from './presence.ts';
import { createTrackRecords } from './track-record.ts';

/** A namespace at a time. */
export type View = Readonly<{
  supply: Supply;
  /** Another one whenever the supply is. */
  version: number;
  agent: (uid: string) => PreparedAgent | undefined;
  /** Demand keys under which work for an agent of this pool waits. */
  keysOf: (pool: AgentPool) => readonly string[];
  /** When it is another one although nothing happens. */
  changesAtMs: number;
}>;

export type LiveSupply = Readonly<{
  of: (namespace: string) => View;
  /** The agent speaks to us at this moment. */
  heard: (agent: Agent) => void;
}>;

type Watched = Readonly<{
  pools: Pick<Informer<AgentPool>, 'onChange'>;
  agents: Pick<Informer<Agent>, 'onChange'>;
  leases: Pick<Informer<Lease>, 'onChange'>;
  contracts: Pick<Informer<Contract>, 'onChange'>;
  /** Writes of this process, before the watch tells of them. */
  onNote: (handler: (written: Contract) => void) => void;
}>;

type Looked = Readonly<{
  pools: Pick<Caches['pools'], 'inNamespace'>;
  agents: Pick<Caches['agents'], 'inNamespace' | 'byUid'>;
  leases: Pick<Caches['leases'], 'ofAgent'>;
  contracts: Pick<Caches['contracts'], 'byUid' | 'failedBy' | 'heldBy'>;
}>;

type Parts = Readonly<{
  informers: Watched;
  caches: Looked;
  clock: Clock;
  /** An agent has come or gone. */
  onPresence: (agentUID: string) => void;
}>;

type Entry = Readonly<{ agent: Agent; pool: AgentPool; prepared: PreparedAgent; seen: Presence }>;
type Space = {
  view: View | undefined;
  entries: Map<string, Entry>;
  pools: readonly AgentPool[];
  version: number;
  changesAtMs: number;
};

export function createSupply({ informers, caches, clock, onPresence }: Parts): LiveSupply {
  const spaces = new Map<string, Space>();
  const stale = new Set<string>();
  const heardMs = new Map<string, number>();
  const records = createTrackRecords(caches.contracts.failedBy);
  const seenOf = (uid: string, nowMs: number): Presence =>
    presenceOf(caches.leases.ofAgent(uid), { nowMs, heardMs: heardMs.get(uid) });
  const touch = (namespace: string | undefined): void => {
    const space = spaces.get(namespace ?? '');
    if (space) space.view = undefined;
  };
  const touchAgents = (contract: Contract, uids: Iterable<string>): void => {
    for (const uid of uids) stale.add(uid);
    touch(contract.metadata.namespace);
  };

  informers.pools.onChange(({ object }) => touch(object.metadata.namespace));
  informers.agents.onChange(({ type, object }) => {
    touch(object.metadata.namespace);
    if (type !== 'Deleted') return;
    heardMs.delete(object.metadata.uid ?? '');
    const isThere = (uid: string): boolean => caches.agents.byUid(uid) !== undefined;
    records.forget(isThere);
    for (const uid of stale) if (!isThere(uid)) stale.delete(uid);
  });
  informers.leases.onChange(({ object }) => {
    const uid = object.metadata.labels?.[LABEL.agent] ?? '';
    const entry = spaces.get(object.metadata.namespace ?? '')?.entries.get(uid);
    if (entry && seenOf(uid, clock.now().getTime()).presence === entry.seen.presence) return;
    stale.add(uid);
    touch(object.metadata.namespace);
    onPresence(uid);
  });
  informers.contracts.onChange((change) => {
    const { object } = change;
    records.note(object);
    if (change.type === 'Updated' && takesTheSame(change.old, object)) return;
    touchAgents(object, concernedBy(object));
    if (change.old) touchAgents(object, concernedBy(change.old));
  });
  informers.onNote((written) => {
    touchAgents(written, concernedBy(written));
    const cached = caches.contracts.byUid(written.metadata.uid ?? '');
    if (cached) touchAgents(cached, concernedBy(cached));
  });

  const refresh = (namespace: string, now: Date): View => {
    const space = spaces.get(namespace) ?? {
      view: undefined,
      entries: new Map(),
      pools: [],
      version: 0,
      changesAtMs: 0,
    };
    spaces.set(namespace, space);
    const nowMs = now.getTime();
    const pools = caches.pools.inNamespace(namespace);
    const byName = new Map(pools.map((pool) => [pool.metadata.name, pool]));
    const entries = new Map<string, Entry>();
    const strays: Agent[] = [];
    let changesAtMs = Number.POSITIVE_INFINITY;
    const isDue = nowMs >= space.changesAtMs;
    let isSame = space.version > 0 && isSameList(pools, space.pools);
    for (const agent of caches.agents.inNamespace(namespace)) {
      const uid = agent.metadata.uid ?? '';
      const pool = byName.get(agent.spec.poolName);
      if (!pool) {
        strays.push(agent);
        continue;
      }
      const known = space.entries.get(uid);
      // Leases are many and mostly renewed: they are read when the first could be too old, or one flips.
      const seen = known && !isDue && !stale.has(uid) ? known.seen : seenOf(uid, nowMs);
      changesAtMs = Math.min(changesAtMs, seen.untilMs);
      const isKnown =
        known?.agent === agent &&
        known.pool === pool &&
        known.seen.presence === seen.presence &&
        !stale.has(uid);
      if (!isKnown) isSame = false;
      entries.set(
        uid,
        isKnown ? { ...known, seen } : { agent, pool, seen, prepared: prepared(agent, { pool, seen, now }) },
      );
      stale.delete(uid);
    }
    if (!isSame || entries.size !== space.entries.size) space.version++;
    space.entries = entries;
    space.pools = pools;
    const byPool = Map.groupBy(entries.values(), ({ pool }) => pool.metadata.name);
    const supply = supplyOf({
      pools: pools.map((pool) => ({
        pool,
        agents: (byPool.get(pool.metadata.name) ?? []).map((entry) => entry.prepared),
      })),
      strays,
    });
    const keys = new Map<string, readonly string[]>();
    const view: View = {
      supply,
      version: space.version,
      agent: (uid) => entries.get(uid)?.prepared,
      keysOf: (pool) => {
        const found = keys.get(pool.metadata.name) ?? lookupKeys(pool, pools);
        keys.set(pool.metadata.name, found);
        return found;
      },
      changesAtMs,
    };
    space.view = view;
    space.changesAtMs = changesAtMs;
    return view;
  };

  const prepared = (
    agent: Agent,
    { pool, seen, now }: Readonly<{ pool: AgentPool; seen: Presence; now: Date }>,
  ): PreparedAgent => {
    const load = loadOf(agent, caches.contracts.heldBy(agent.metadata.uid ?? ''));
    return prepareAgent({ agent, presence: seen.presence, load, health: records.of(agent, now) }, pool);
  };

  return {
    of: (namespace) => {
      const now = clock.now();
      const known = spaces.get(namespace)?.view;
      return known && now.getTime() < known.changesAtMs ? known : refresh(namespace, now);
    },
    heard: ({ metadata }) => {
      const uid = metadata.uid ?? '';
      const nowMs = clock.now().getTime();
      if (seenOf(uid, nowMs + HEARD_FOR_MS / 2).presence !== 'Offline') return;
      heardMs.set(uid, nowMs);
      stale.add(uid);
      touch(metadata.namespace);
    },
  };
}

/** Whose room or record it is about. */
const concernedBy = ({ status }: Contract): string[] => [
  ...(status?.holders ?? []).map(({ agentUID }) => agentUID),
  ...(status?.attempts ?? []).slice(-1).map(({ agentUID }) => agentUID),
];

/** Renewals are many and change nothing of it. */
const takesTheSame = ({ status: a }: Contract, { status: b }: Contract): boolean =>
  a?.phase === b?.phase &&
  a?.epoch === b?.epoch &&
  a?.holders?.length === b?.holders?.length &&
  a?.attempts?.at(-1)?.epoch === b?.attempts?.at(-1)?.epoch &&
  a?.attempts?.length === b?.attempts?.length;

const isSameList = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((entry, at) => entry === b[at]);
