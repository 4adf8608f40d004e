import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Failure } from '../failure.ts';
import { aGrant, anyChange, ID } from '../testing/builders.ts';
import { accept, emptyRecord, order } from './record.ts';
import { openStore } from './store.ts';

const NOW = new Date('2026-01-01T00:00:00Z');
let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dc-agent-state-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('whatever was changed is there after a crash at any moment', () =>
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'b'), anyChange), { maxLength: 12 }), (changes) => {
      rmSync(dir, { recursive: true, force: true });
      let store = openStore(dir, NOW);
      for (const [id, change] of changes) {
        const after = store.change(id.repeat(32), change);
        // A crash leaves half a file of the next write behind, and takes all that is in memory.
        writeFileSync(join(dir, 'contracts', '.new-1-1'), '{"contractId":');
        store = openStore(dir, NOW);
        expect(store.get(id.repeat(32))).toEqual(after);
      }
    }),
    { numRuns: 30 },
  ));

test('what is noted of machines of no contract survives the process', () => {
  const notes = { x: { stage: 'Stopped' as const, stageMs: 7, since: NOW.toISOString() } };
  openStore(dir, NOW).setOrphans({ notes, destroyed: [{ externalId: 'y', agoMs: 1 }] });
  expect(openStore(dir, NOW).orphans()).toEqual({ notes, destroyed: [{ externalId: 'y', agoMs: 1 }] });
});

test('the incarnation rises with each start', () => {
  expect(openStore(dir, NOW).raiseIncarnation()).toBe(1);
  expect(openStore(dir, NOW).raiseIncarnation()).toBe(2);
});

test('everything is for its owner alone', () => {
  const store = openStore(join(dir, 'state'), NOW);
  store.change(ID, (record) => accept(record, aGrant(1)) ?? record);
  store.setOrphans({ notes: { x: { stage: 'Noted', stageMs: 0, since: NOW.toISOString() } }, destroyed: [] });
  store.raiseIncarnation();
  for (const file of readdirSync(join(dir, 'state'), { recursive: true, withFileTypes: true })) {
    const path = join(file.parentPath, file.name);
    expect([path, statSync(path).mode & 0o077]).toEqual([path, 0]);
  }
});

test('writes nothing when nothing changed', () => {
  openStore(dir, NOW).change(ID, (record) => record);
  expect(readdirSync(join(dir, 'contracts'))).toEqual([]);
});

test('forgets a settled contract long after it can come back, never an unsettled one', () => {
  const store = openStore(dir, NOW);
  store.change(ID, (record) => ({ ...record, givenUp: 4 }));
  store.change('d'.repeat(32), (record) => order(record, 2));
  for (const name of readdirSync(join(dir, 'contracts'))) utimesSync(join(dir, 'contracts', name), NOW, NOW);
  const later = (days: number): Date => new Date(NOW.getTime() + days * 24 * 3_600_000);
  expect(openStore(dir, later(89)).get(ID).givenUp).toBe(4);
  const reopened = openStore(dir, later(91));
  expect(reopened.get(ID)).toEqual(emptyRecord(ID));
  expect(reopened.get('d'.repeat(32)).doomed).toEqual([2]);
});

test('a damaged file stops the agent: what it forgot it might build twice', () => {
  openStore(dir, NOW).change(ID, (record) => order(record, 2));
  const file = join(dir, 'contracts', `${ID}.json`);
  writeFileSync(file, readFileSync(file, 'utf8').slice(0, 20));
  expect(() => openStore(dir, NOW)).toThrow(Failure);
  expect(() => openStore(dir, NOW)).toThrow(/is damaged/);
  expect(existsSync(file)).toBe(true);
});

test('says what to do when the folder cannot be used', () => {
  writeFileSync(join(dir, 'file'), '');
  chmodSync(join(dir, 'file'), 0o600);
  expect(() => openStore(join(dir, 'file'), NOW)).toThrow(/cannot be used/);
});
