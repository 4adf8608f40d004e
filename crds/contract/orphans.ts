/**
 * What becomes of the machines of an agent that belong to no contract, from one inventory to the next. Pure;
 * the agent has the book on disk before it acts. Stopped at the second sighting, destroyed a day later, and
 * never more than so many an hour:
 *
 *   young ─(15 min old)─► Noted ─(seen again)─► Stopped ─(24 h)─► Due ─(its turn)─► destroyed
 *
 * No clock can make a day pass at once: what counts is the sum of short steps between two successful
 * inventories of one process, both of which called the machine an orphan. Source: docs/contract.md, 10.
 */
import { z } from 'zod';
import { assertNever } from '../../lib/assert.ts';
import { HOUR_MS } from './numbers.ts';

const ORPHAN_STAGES = ['Unsure', 'Noted', 'Stopped', 'Due'] as const;

const OrphanNote = z.object({
  /** `Unsure`: created in the future, says its host; its age is counted from the first sighting. */
  stage: z.enum(ORPHAN_STAGES),
  /** How long it was seen in this stage. Milliseconds. */
  stageMs: z.number().min(0),
  /** For people: when this stage began, by the host's clock. */
  since: z.string(),
});
export type OrphanNote = z.infer<typeof OrphanNote>;

export const OrphanBook = z.object({
  /** By the name of the machine. */
  notes: z.record(z.string(), OrphanNote),
  /** What was ordered to be destroyed in the last hour; milliseconds ago. */
  destroyed: z.array(z.object({ externalId: z.string(), agoMs: z.number().min(0) })),
});
export type OrphanBook = z.infer<typeof OrphanBook>;

export const EMPTY_BOOK: OrphanBook = { notes: {}, destroyed: [] };

export type Orphan = Readonly<{
  externalId: string;
  createdAt: string;
  /** Its contract lives: it is stopped, but never destroyed. */
  isContractKnown: boolean;
}>;

export type OrphanLimits = Readonly<{ minAgeMs: number; quarantineMs: number; destroyedPerHourMax: number }>;

export type OrphanFacts = Readonly<{
  book: OrphanBook;
  /** Own machines that a successful inventory judged to belong to nobody. */
  orphans: readonly Orphan[];
  /** Machines that could not be judged this time: what is noted of them stays as it is. */
  undecided: ReadonlySet<string>;
  /** Monotonic time since the last successful inventory of this process; 0 at its first. */
  elapsedMs: number;
  now: Date;
  limits: OrphanLimits;
}>;

export type OrphanDecision = Readonly<{
  book: OrphanBook;
  stop: readonly string[];
  destroy: readonly string[];
}>;

export function decideOrphans(facts: OrphanFacts): OrphanDecision {
  const { book, elapsedMs, limits, undecided } = facts;
  const before = new Map(Object.entries(book.notes));
  const notes = new Map([...before].filter(([externalId]) => undecided.has(externalId)));
  for (const orphan of facts.orphans) {
    const note = nextNote(orphan, { ...facts, known: before.get(orphan.externalId) });
    if (note) notes.set(orphan.externalId, note);
  }
  const recent = book.destroyed
    .map(({ externalId, agoMs }) => ({ externalId, agoMs: agoMs + elapsedMs }))
    .filter(({ agoMs }) => agoMs < HOUR_MS);
  const judged = facts.orphans.map(({ externalId }) => externalId);
  const stageOf = (externalId: string): OrphanNote['stage'] | undefined => notes.get(externalId)?.stage;
  const due = judged.filter((externalId) => stageOf(externalId) === 'Due');
  const isBegun = (id: string): boolean => recent.some(({ externalId }) => externalId === id);
  // Who was begun in this hour and is still there costs nothing more; then who has waited longest.
  const begun = due
    .filter((externalId) => !isBegun(externalId))
    .sort((a, b) => (notes.get(b)?.stageMs ?? 0) - (notes.get(a)?.stageMs ?? 0))
    .slice(0, Math.max(0, limits.destroyedPerHourMax - recent.length));
  return {
    book: {
      notes: Object.fromEntries(notes),
      destroyed: [...recent, ...begun.map((externalId) => ({ externalId, agoMs: 0 }))],
    },
    stop: judged.filter((externalId) => ['Stopped', 'Due'].includes(stageOf(externalId) ?? '')),
    destroy: [...due.filter(isBegun), ...begun],
  };
}

type Noting = OrphanFacts & Readonly<{ known: OrphanNote | undefined }>;

/** Undefined while it is young: its contract may be newer than what the facade has heard of. */
function nextNote(orphan: Orphan, { known, elapsedMs, now, limits }: Noting): OrphanNote | undefined {
  const begin = (stage: OrphanNote['stage']): OrphanNote => ({ stage, stageMs: 0, since: now.toISOString() });
  const createdMs = Date.parse(orphan.createdAt);
  const ageMs = Number.isNaN(createdMs) ? -1 : now.getTime() - createdMs;
  if (!known) {
    if (ageMs >= limits.minAgeMs) return begin('Noted');
    return ageMs < 0 ? begin('Unsure') : undefined;
  }
  const note = { ...known, stageMs: known.stageMs + elapsedMs };
  switch (note.stage) {
    case 'Unsure':
      return Math.max(ageMs, note.stageMs) >= limits.minAgeMs ? begin('Noted') : note;
    case 'Noted':
      return begin('Stopped');
    case 'Stopped':
      return note.stageMs >= limits.quarantineMs && !orphan.isContractKnown ? begin('Due') : note;
    case 'Due':
      return orphan.isContractKnown ? begin('Stopped') : note;
    default:
      return assertNever(note.stage);
  }
}

export type OrphanCounts = Readonly<{ noted: number; stopped: number; waiting: number }>;

/** For the next inventory, the log and `status`: how many there are, and how many wait for their turn. */
export function countOrphans({
  notes,
  destroyed,
}: OrphanBook): Readonly<{ noted: number; stopped: number; waiting: number }> {
  const all = Object.entries(notes);
  const isStopped = ({ stage }: OrphanNote): boolean => stage === 'Stopped' || stage === 'Due';
  return {
    noted: all.length,
    stopped: all.filter(([, note]) => isStopped(note)).length,
    waiting: all.filter(
      ([id, { stage }]) => stage === 'Due' && !destroyed.some(({ externalId }) => externalId === id),
    ).length,
  };
}
