/**
 * Which world this is: how often an older etcd was put back, and whether it is known yet what that lost. Kept in
 * ConfigMap `dcmarket-world` beside the installation's Secret; PostgreSQL remembers the generation too, because
 * the ConfigMap goes back with etcd. Pure: reading and writing is the callers'. Source: docs/contract.md, 12.
 *
 *   Normal ── a sign of an older world: generation + 1 ──► Resolving ── agents have listed ──► Normal
 */
import { GROUP } from '../group.ts';

export const WORLD = 'dcmarket-world';

/** On the ConfigMap: UIDs of contracts (comma list) whose unclaimed machine may go. */
export const LET_GO = `${GROUP}/let-go`;

/** On the ConfigMap: agents (`namespace/name` or UID, comma list) that a person goes on without. */
export const GO_ON_WITHOUT = `${GROUP}/go-on-without`;

/** What gives an older world away. */
export type SignCode =
  | 'EpochAhead' // an agent holds a proven grant above the contract's epoch
  | 'VersionAhead' // somebody saw a higher resourceVersion than the server has
  | 'GenerationAhead' // somebody heard a higher generation than the ConfigMap has
  | 'StoreAhead' // PostgreSQL has a higher generation: also how the runbook begins a restore
  | 'StoreNamesMachine' // PostgreSQL names a machine that the contract's epoch does not reach
  | 'WentBack'; // a watch of this process found the server behind itself

/** A machine whose contract was made after the backup. It runs on until a person takes its line away. */
export type Unclaimed = Readonly<{
  contractUID: string;
  epoch: number;
  agentUID: string;
  externalId: string;
}>;

export type World = Readonly<{
  generation: number;
  phase: 'Normal' | 'Resolving';
  because?: SignCode | undefined;
  /** UID of the agent whose message revealed it: without its listing nothing is resolved. */
  revealedBy?: string | undefined;
  /** RFC 3339. */
  since?: string | undefined;
  resolvedAt?: string | undefined;
  /** For people: what the resolution waits for. */
  waitingFor?: string | undefined;
  unclaimed: readonly Unclaimed[];
  goOnWithout: readonly string[];
  letGo: readonly string[];
}>;

/** As long as nothing was ever restored there is no ConfigMap. */
export const FIRST_WORLD: World = {
  generation: 0,
  phase: 'Normal',
  unclaimed: [],
  goOnWithout: [],
  letGo: [],
};

type ConfigMap = Readonly<{
  metadata: Readonly<{ annotations?: Readonly<Record<string, string>> | undefined }>;
  data?: Readonly<Record<string, string>> | undefined;
}>;

/** What is damaged reads as the safe side: a generation that is no number is 0, a phase that is none Resolving. */
export function worldOf(configMap: ConfigMap | undefined): World {
  if (!configMap) return FIRST_WORLD;
  const { data = {}, metadata } = configMap;
  const generation = Number(data['generation']);
  return {
    generation: Number.isSafeInteger(generation) && generation > 0 ? generation : 0,
    phase: data['phase'] === 'Normal' ? 'Normal' : 'Resolving',
    because: isSign(data['because']) ? data['because'] : undefined,
    revealedBy: data['revealedBy'] || undefined,
    since: data['since'] || undefined,
    resolvedAt: data['resolvedAt'] || undefined,
    waitingFor: data['waitingFor'] || undefined,
    unclaimed: (data['unclaimed'] ?? '').split('\n').flatMap(readUnclaimed),
    goOnWithout: namesIn(metadata.annotations?.[GO_ON_WITHOUT]),
    letGo: namesIn(metadata.annotations?.[LET_GO]),
  };
}

const namesIn = (list: string | undefined): string[] =>
  (list ?? '').split(/[\s,]+/).filter((name) => name !== '');

/** The annotations are people's and stay with them. */
export function dataOf({
  goOnWithout,
  letGo,
  unclaimed,
  generation,
  ...rest
}: World): Record<string, string> {
  const texts = Object.entries(rest).filter(([, value]) => value !== undefined);
  const lines = unclaimed.map(lineOf);
  return {
    generation: String(generation),
    ...Object.fromEntries(texts),
    ...(lines.length === 0 ? {} : { unclaimed: lines.join('\n') }),
  };
}

export type Sign = Readonly<{
  because: SignCode;
  revealedBy?: string | undefined;
  /** Of the world that the evidence comes from; the new one is above it. */
  generation: number;
}>;

/** Evidence of an earlier generation is explained by the restore that is known already. */
export const isNews = (world: World, { because, generation }: Sign): boolean =>
  because === 'GenerationAhead' || because === 'StoreAhead'
    ? generation > world.generation
    : generation >= world.generation;

/** The world that a sign begins. `stored`: PostgreSQL's generation, as far as it is known. */
export function raised(
  world: World,
  { sign, stored, now }: Readonly<{ sign: Sign; stored: number; now: Date }>,
): World {
  const { because, revealedBy } = sign;
  return {
    generation: Math.max(world.generation, stored, sign.generation) + 1,
    phase: 'Resolving',
    because,
    revealedBy,
    since: now.toISOString(),
    unclaimed: world.unclaimed,
    goOnWithout: [], // said of an earlier restore
    letGo: [],
  };
}

export const resolved = (
  { since, because, revealedBy, generation, goOnWithout, letGo }: World,
  { unclaimed, now }: Readonly<{ unclaimed: readonly Unclaimed[]; now: Date }>,
): World => ({
  generation,
  phase: 'Normal',
  because,
  revealedBy,
  since,
  resolvedAt: now.toISOString(),
  unclaimed: bounded(unclaimed),
  goOnWithout,
  letGo,
});

/** Of two sights of the world the later one. Within a generation it only goes from Resolving to Normal. */
export function later(a: World, b: World): World {
  if (a.generation !== b.generation) return a.generation > b.generation ? a : b;
  if (a.phase !== b.phase) return a.phase === 'Normal' ? a : b;
  return b;
}

/** A ConfigMap holds 1 MiB; a line is some 110 bytes. One agent cannot fill it for all. */
export const UNCLAIMED_MAX_BYTES = 512 * 1024;
export const UNCLAIMED_OF_AGENT_MAX = 512;

/** The first ones count. A name that breaks its line would be read as another machine. */
export function bounded(unclaimed: readonly Unclaimed[]): Unclaimed[] {
  const kept: Unclaimed[] = [];
  const ofAgent = new Map<string, number>();
  let bytes = 0;
  for (const entry of unclaimed) {
    const count = (ofAgent.get(entry.agentUID) ?? 0) + 1;
    const size = Buffer.byteLength(lineOf(entry)) + 1;
    if (count > UNCLAIMED_OF_AGENT_MAX || bytes + size > UNCLAIMED_MAX_BYTES) continue;
    if (/[\r\n]/.test(entry.externalId)) continue;
    ofAgent.set(entry.agentUID, count);
    bytes += size;
    kept.push(entry);
  }
  return kept;
}

const SIGNS: Readonly<Record<SignCode, true>> = {
  EpochAhead: true,
  VersionAhead: true,
  GenerationAhead: true,
  StoreAhead: true,
  StoreNamesMachine: true,
  WentBack: true,
};
const isSign = (text: string | undefined): text is SignCode =>
  text !== undefined && Object.hasOwn(SIGNS, text);

const lineOf = ({ contractUID, epoch, agentUID, externalId }: Unclaimed): string =>
  `${contractUID} ${epoch} ${agentUID} ${externalId}`;

function readUnclaimed(line: string): Unclaimed[] {
  const [contractUID, epoch, agentUID, ...rest] = line.trim().split(' ');
  if (!contractUID || !agentUID || rest.length === 0) return [];
  return [{ contractUID, epoch: Number(epoch), agentUID, externalId: rest.join(' ') }];
}
