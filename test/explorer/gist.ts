/**
 * A value as a short canonical text: members in order of their names, instants as their distance from now, cut off
 * where no rule looks any further, and nothing that only people read. What a value looks like is remembered by its
 * identity, so that a move costs only what it changed.
 */
import { ATTEMPT_DEADLINE_MS } from '../../crds/contract/numbers.ts';
import { hasEnded, PHASES } from '../../crds/contract/phase.ts';
import { msOf } from './world.ts';

/** Members that decide nothing: words for people, what another member says as well, what never changes here. */
const SKIPPED = new Set([
  'message',
  'startedAt',
  'expiresAt',
  'acceptedAt',
  'lastTransitionTime',
  'resourceVersion',
  'creationTimestamp',
  'apiVersion',
  'kind',
  'sshPublicKeys',
  'tenant',
  'termsSnapshot',
  'endpoint',
  'by',
  'seq',
  'startsAt',
  'pool',
  'from',
  'name',
  'namespace',
  'uid',
  'offering',
  'durationHours',
  'powerState',
  'addresses',
  'host',
  'port',
]);
/** Beyond it a deadline is far: states differ no more by how far. */
export const NEAR_MS = 20 * 60_000;
/** How long ago still makes a difference; anything else: a heartbeat's 45 s. */
const PAST_MS: Readonly<Record<string, number>> = {
  provisionedAt: 300_000,
  sentAtMs: 300_000,
  verifiedAt: 0,
};
const DEFAULT_PAST_MS = 45_000;
/** Of what only counts once it is over. */
const WHETHER = -1;
const DAY_MS = 86_400_000;
const UID = 'aaaaaaaa-0000-4000-8000-000000000';

type Instants = readonly (readonly [ms: number, pastMs: number])[];
/** A number for the text, in which gaps stand for instants; and for each gap its instant and how far back it matters. */
type Gist = Readonly<{ number: string; instants: Instants }>;
type Writing = { text: string; instants: (readonly [number, number])[] };

/** Sees to it that `new` makes no object of its own, but adds its fields to one that is there. */
class Given {
  constructor(value: object) {
    // biome-ignore lint/correctness/noConstructorReturn: that is what it is for
    return value;
  }
}
/** What a value looks like, kept with the value where no spread copies it; a WeakMap was a fifth of the exploring. */
class Known extends Given {
  #gist: Gist;
  constructor(value: object, gist: Gist) {
    super(value);
    this.#gist = gist;
  }
  static of(value: object): Gist | undefined {
    return #gist in value ? (value as Known).#gist : undefined;
  }
}
const numbers = new Map<string, string>();

export function textOf(value: object | undefined, nowMs: number): string {
  if (value === undefined) return '-';
  const { number, instants } = gistOf(value);
  let text = number;
  for (const [ms, pastMs] of instants) text += `,${offset(ms - nowMs, pastMs)}`;
  return text;
}

function offset(ms: number, pastMs: number): string {
  if (pastMs === WHETHER) return ms > 0 ? 'ahead' : 'over';
  if (ms > NEAR_MS) return 'far';
  if (ms > -pastMs) return String(ms);
  return ms > -DAY_MS ? 'past' : 'old';
}

function gistOf(value: object): Gist {
  const known = Known.of(value);
  if (known) return known;
  const writing: Writing = { text: '', instants: [] };
  if (Array.isArray(value)) write(value, { key: '', writing });
  else writeMembers(value, writing);
  const number = numbers.get(writing.text) ?? numbers.size.toString(36);
  numbers.set(writing.text, number);
  const gist = { number, instants: writing.instants };
  new Known(value, gist);
  return gist;
}

type At = Readonly<{ key: string; writing: Writing }>;

function write(value: unknown, { key, writing }: At): void {
  const ms = instantOf(value, key);
  if (ms !== undefined) {
    if (key === 'acquiredAt') writing.instants.push([ms + ATTEMPT_DEADLINE_MS, WHETHER]);
    else writing.instants.push([ms, PAST_MS[key] ?? DEFAULT_PAST_MS]);
    add('@', writing);
  } else if (Array.isArray(value)) {
    add('[', writing);
    for (const item of key === 'history' ? endsOf(value) : value) write(item, { key: '', writing });
    add(']', writing);
  } else if (typeof value === 'object' && value !== null) {
    const { number, instants } = gistOf(value);
    add(`#${number} `, writing);
    writing.instants.push(...instants);
  } else
    add(`${typeof value === 'string' && value.startsWith(UID) ? value.slice(UID.length) : value} `, writing);
}

function writeMembers(value: object, writing: Writing): void {
  add('{', writing);
  for (const key of Object.keys(value).sort()) {
    const member: unknown = value[key as keyof typeof value]; // one of its own keys
    if (!isTold(key, member, value)) continue;
    add(`${key}:`, writing);
    write(member, { key, writing });
  }
  add('}', writing);
}

function isTold(name: string, member: unknown, of: object): boolean {
  if (member === undefined || SKIPPED.has(name)) return false;
  // A grant's terms are those of its contract.
  if (name === 'contract' && typeof member === 'object') return false;
  // A deadline that is met already.
  return !(name === 'provisionedAt' && 'access' in of && JSON.stringify(of.access).includes('verifiedAt'));
}

const add = (text: string, writing: Writing): void => {
  writing.text += text;
};

function instantOf(value: unknown, key: string): number | undefined {
  if (typeof value === 'string' && value.length === 24 && value[10] === 'T') return msOf(value);
  return typeof value === 'number' && key.endsWith('AtMs') ? value : undefined;
}

const ENDINGS = new Set<unknown>(PHASES.filter((phase) => phase === 'Terminating' || hasEnded(phase)));

/** Since when it ends is all that rules ask of history. */
const endsOf = (history: readonly { to?: unknown }[]): readonly unknown[] =>
  history.slice(-1).filter(({ to }) => ENDINGS.has(to));
