import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLogger } from '../../lib/log.ts';
import { accept, beginReport, drop, emptyRecord, isAdoptable, isSettled, settle } from '../state/record.ts';
import { openStore } from '../state/store.ts';
import { aGrant, anyChange } from '../testing/builders.ts';
import { hearWorld } from './hear-world.ts';

const log = createLogger({ name: 'test', level: 'silent' });
const now = new Date();
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dc-agent-world-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a higher generation drops grants and orders, and is on disk afterwards', () => {
  const store = openStore(folder, now);
  store.change('a', (record) => accept(record, aGrant(3)) ?? record);
  const jobs = {
    drop: () => {
      for (const { contractId } of store.all()) store.change(contractId, drop);
    },
  };
  expect(hearWorld({ context: { store, log }, jobs }, { generation: 1, heard: '1.5.x' })).toBe(true);
  expect(hearWorld({ context: { store, log }, jobs }, { generation: 1, heard: '1.5.x' })).toBe(false);
  const again = openStore(folder, now);
  expect(again.world()).toEqual({ generation: 1, heard: '1.5.x' });
  expect(again.get('a')).toMatchObject({ givenUp: 3 });
  expect(again.get('a').grant).toBeUndefined();
});

test('a drop leaves nothing to do, gives up what was granted, and forgets nothing that was given up or reported', () => {
  fc.assert(
    fc.property(fc.array(anyChange, { maxLength: 12 }), (changes) => {
      const before = changes.reduce((record, change) => change(record), emptyRecord('a'));
      const after = drop(before);
      expect(isSettled(after)).toBe(true);
      expect(after.givenUp).toBe(Math.max(before.givenUp, before.grant?.epoch ?? -1));
      expect([after.begun, after.reporting]).toEqual([before.begun, before.reporting]);
      expect(isAdoptable(after, { epoch: before.grant?.epoch ?? 0 })).toBe(false);
      if (before.grant) expect(accept(after, before.grant)).toBeUndefined();
    }),
  );
});

test('the proof of a grant outlives its report and the drop', () => {
  const granted = accept(emptyRecord('a'), { ...aGrant(2), proof: 'signed' });
  expect(granted && drop(settle(granted)).proven).toEqual({ epoch: 2, proof: 'signed' });
  expect(granted && drop(granted).proven).toEqual({ epoch: 2, proof: 'signed' });
});

test('how a machine was reported outlives the drop', () => {
  const granted = accept(emptyRecord('a'), aGrant(2));
  const details = { externalId: 'dc-a', sshPort: 22 };
  expect(granted && drop(beginReport(granted, details)).reported).toEqual({ epoch: 2, details });
});
