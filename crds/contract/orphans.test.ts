/** Machines of no contract: what becomes of them, whatever the clocks do. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HOUR_MS } from './numbers.ts';
import {
  countOrphans,
  decideOrphans,
  EMPTY_BOOK,
  type Orphan,
  type OrphanBook,
  type OrphanFacts,
  type OrphanNote,
} from './orphans.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * HOUR_MS;
const NOW = new Date('2026-01-02T00:00:00.000Z');
const ago = (ms: number): string => new Date(NOW.getTime() - ms).toISOString();
const limits = { minAgeMs: 15 * MINUTE_MS, quarantineMs: DAY_MS, destroyedPerHourMax: 2 };
const anOrphan = (externalId: string, change: Partial<Orphan> = {}): Orphan => ({
  externalId,
  createdAt: ago(DAY_MS),
  isContractKnown: false,
  ...change,
});
const note = (stage: OrphanNote['stage'], stageMs = 0): OrphanNote => ({ stage, stageMs, since: ago(0) });
const book = (notes: OrphanBook['notes'], destroyed: OrphanBook['destroyed'] = []): OrphanBook => ({
  notes,
  destroyed,
});
const decide = (change: Partial<OrphanFacts>) =>
  decideOrphans({
    book: EMPTY_BOOK,
    orphans: [anOrphan('a')],
    undecided: new Set(),
    elapsedMs: MINUTE_MS,
    now: NOW,
    limits,
    ...change,
  });

const cases: {
  name: string;
  given: Partial<OrphanFacts>;
  want: { a?: object; stop?: string[]; destroy?: string[] };
}[] = [
  {
    name: 'younger than 15 minutes: nothing at all, not even a note',
    given: { orphans: [anOrphan('a', { createdAt: ago(14 * MINUTE_MS) })] },
    want: {},
  },
  { name: 'seen first: a note', given: {}, want: { a: { stage: 'Noted', stageMs: 0 } } },
  {
    name: 'seen again: stopped',
    given: { book: book({ a: note('Noted') }) },
    want: { a: { stage: 'Stopped', stageMs: 0 }, stop: ['a'] },
  },
  {
    name: 'in quarantine: it stays stopped and its time is counted',
    given: { book: book({ a: note('Stopped', HOUR_MS) }) },
    want: { a: { stage: 'Stopped', stageMs: HOUR_MS + MINUTE_MS }, stop: ['a'] },
  },
  {
    name: 'after the quarantine: destroyed',
    given: { book: book({ a: note('Stopped', DAY_MS - MINUTE_MS) }) },
    want: { a: { stage: 'Due' }, stop: ['a'], destroy: ['a'] },
  },
  {
    name: 'the hour is full: it waits',
    given: {
      book: book({ a: note('Due') }, [
        { externalId: 'x', agoMs: 0 },
        { externalId: 'y', agoMs: 58 * MINUTE_MS },
      ]),
    },
    want: { a: { stage: 'Due', stageMs: MINUTE_MS }, stop: ['a'], destroy: [] },
  },
  {
    name: 'an hour after the first of them: its turn',
    given: {
      book: book({ a: note('Due') }, [
        { externalId: 'x', agoMs: 0 },
        { externalId: 'y', agoMs: 59 * MINUTE_MS },
      ]),
    },
    want: { stop: ['a'], destroy: ['a'] },
  },
  {
    name: 'one whose destruction failed is tried again in a full hour',
    given: {
      book: book({ a: note('Due') }, [
        { externalId: 'a', agoMs: 0 },
        { externalId: 'y', agoMs: 0 },
      ]),
    },
    want: { stop: ['a'], destroy: ['a'] },
  },
  {
    name: 'its contract lives: stopped for ever, never destroyed',
    given: {
      orphans: [anOrphan('a', { isContractKnown: true })],
      book: book({ a: note('Stopped', 400 * DAY_MS) }),
    },
    want: { a: { stage: 'Stopped' }, stop: ['a'] },
  },
  {
    name: 'its contract turned up while it waited: back to quarantine',
    given: { orphans: [anOrphan('a', { isContractKnown: true })], book: book({ a: note('Due') }) },
    want: { a: { stage: 'Stopped', stageMs: 0 }, stop: ['a'] },
  },
  {
    name: 'judged otherwise or gone: forgotten, and begun anew if it comes back',
    given: { orphans: [], book: book({ a: note('Stopped', DAY_MS) }) },
    want: {},
  },
  {
    name: 'not judged this time: the note stays, nothing is counted or done',
    given: { orphans: [], undecided: new Set(['a']), book: book({ a: note('Stopped', HOUR_MS) }) },
    want: { a: note('Stopped', HOUR_MS) },
  },
  {
    name: 'created in the future, says its host: its age is counted from here',
    given: { orphans: [anOrphan('a', { createdAt: ago(-DAY_MS) })] },
    want: { a: { stage: 'Unsure' } },
  },
  {
    name: 'and it is an orphan after 15 minutes',
    given: {
      orphans: [anOrphan('a', { createdAt: ago(-DAY_MS) })],
      book: book({ a: note('Unsure', 14 * MINUTE_MS) }),
    },
    want: { a: { stage: 'Noted' } },
  },
];
describe('a machine of no contract', () => {
  for (const { name, given, want } of cases)
    test(name, () => {
      const { book: next, stop, destroy } = decide(given);
      expect({ a: next.notes['a'], stop, destroy }).toMatchObject({ stop: [], destroy: [], ...want });
      if (!want.a && !want.stop) expect(next.notes).toEqual({});
    });

  test('who has waited longest goes first, and it is said how many wait', () => {
    const names = ['a', 'b', 'c', 'd'];
    const notes = Object.fromEntries(names.map((name, index) => [name, note('Due', index)]));
    const { book: next, destroy } = decide({
      orphans: names.map((name) => anOrphan(name)),
      book: book(notes),
    });
    expect(destroy).toEqual(['d', 'c']);
    expect(countOrphans(next)).toEqual({ noted: 4, stopped: 4, waiting: 2 });
  });

  test('a machine may be named like a member of every object', () => {
    expect(decide({ orphans: [anOrphan('constructor')] }).book.notes).toMatchObject({
      constructor: { stage: 'Noted' },
    });
  });
});

const NAMES: string[] = ['a', 'b', 'c', 'd'];
/** One inventory of a run: what was judged, how long after the one before, and what the wall clock says by then. */
const anInventory = fc.record({
  judged: fc.oneof(fc.constant(NAMES), fc.subarray(NAMES)),
  undecided: fc.subarray(NAMES),
  known: fc.subarray(NAMES),
  elapsedMs: fc.constantFrom(0, MINUTE_MS, 30 * MINUTE_MS, 23.5 * HOUR_MS),
  wallMs: fc.integer({ min: -10 * DAY_MS, max: 10 * DAY_MS }),
});

test('however the clocks jump: two sightings and a day of steps before the end, and so many an hour', () => {
  let ends = 0;
  fc.assert(
    fc.property(fc.array(anInventory, { maxLength: 60 }), (inventories) => {
      let current = EMPTY_BOOK;
      let nowMs = 0;
      const sightings = new Map<string, number>();
      const stoppedSinceMs = new Map<string, number>();
      const destroyed: { externalId: string; atMs: number }[] = [];
      for (const { judged, undecided, known, elapsedMs, wallMs } of inventories) {
        nowMs += elapsedMs;
        const skipped = undecided.filter((name) => !judged.includes(name));
        const {
          book: next,
          stop,
          destroy,
        } = decideOrphans({
          book: current,
          orphans: judged.map((name) => anOrphan(name, { isContractKnown: known.includes(name) })),
          undecided: new Set(skipped),
          elapsedMs,
          now: new Date(NOW.getTime() + wallMs),
          limits,
        });
        for (const name of NAMES) {
          if (judged.includes(name)) sightings.set(name, (sightings.get(name) ?? 0) + 1);
          else if (!skipped.includes(name)) {
            sightings.delete(name);
            stoppedSinceMs.delete(name);
          }
        }
        for (const name of stop) {
          expect(judged).toContain(name);
          expect(sightings.get(name)).toBeGreaterThanOrEqual(2);
          if (!stoppedSinceMs.has(name)) stoppedSinceMs.set(name, nowMs);
        }
        for (const name of destroy) {
          expect(stop).toContain(name);
          expect(known).not.toContain(name);
          expect(nowMs - (stoppedSinceMs.get(name) ?? nowMs)).toBeGreaterThanOrEqual(DAY_MS);
          if (!current.destroyed.some(({ externalId }) => externalId === name))
            destroyed.push({ externalId: name, atMs: nowMs });
        }
        for (const { atMs } of destroyed)
          expect(
            destroyed.filter((it) => it.atMs >= atMs && it.atMs < atMs + HOUR_MS).length,
          ).toBeLessThanOrEqual(limits.destroyedPerHourMax);
        ends += destroy.length;
        current = next;
      }
    }),
    { numRuns: 300 },
  );
  expect(ends).toBeGreaterThan(20);
});
