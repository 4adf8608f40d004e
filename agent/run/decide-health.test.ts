import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Unhealthy } from '../../crds/unhealthy.ts';
import { decideHealth, type HealthFacts } from './decide-health.ts';
import { lookAt } from './health.ts';

const MIB = 2 ** 20;
const state = (mebibytes: number): HealthFacts['state'] => ({ isWritable: true, freeBytes: mebibytes * MIB });
const listing = (failures: number) => ({ failures, error: failures > 0 ? 'permission denied' : undefined });
const WELL: HealthFacts = { listing: listing(0), state: state(1000) };

type Case = { name: string; facts?: Partial<HealthFacts>; was?: string; want: string | undefined };
const cases: Case[] = [
  { name: 'all is well', want: undefined },
  { name: 'nothing was looked at yet', facts: { state: undefined }, want: undefined },
  { name: 'two listings failed', facts: { listing: listing(2) }, want: undefined },
  {
    name: 'three listings failed',
    facts: { listing: listing(3) },
    want: 'CannotList: its machines could not be listed 3 times in a row or more: permission denied',
  },
  { name: 'a hundred did', facts: { listing: listing(100) }, was: 'CannotList', want: 'CannotList: its' },
  { name: 'the next one did not', was: 'CannotList', want: undefined },
  {
    name: 'the state folder cannot be written, whatever else',
    facts: { listing: listing(3), state: { isWritable: false, error: 'EROFS: read-only file system' } },
    want: 'StateNotWritable: its state folder cannot be written: EROFS: read-only file system',
  },
  {
    name: 'its disk is nearly full',
    facts: { state: state(63) },
    want: 'StateNearlyFull: less than 64 MiB were free on the disk of its state folder: it goes on at 128 MiB',
  },
  { name: 'it has just enough', facts: { state: state(64) }, want: undefined },
  {
    name: 'a little became free',
    facts: { state: state(127) },
    was: 'StateNearlyFull',
    want: 'StateNearlyFull:',
  },
  { name: 'enough became free', facts: { state: state(128) }, was: 'StateNearlyFull', want: undefined },
  {
    name: 'long words are cut',
    facts: { listing: { failures: 3, error: 'x'.repeat(1000) } },
    want: 'CannotList: its machines could not be listed 3 times in a row or more: xxx',
  },
];
test.each(cases)('$name', ({ facts, was, want }) => {
  const found = decideHealth(
    { ...WELL, ...facts },
    was === undefined ? undefined : { reason: was, message: '' },
  );
  if (want === undefined) return expect(found).toBeUndefined();
  expect(Unhealthy.safeParse(found).error).toBeUndefined();
  expect(`${found?.reason}: ${found?.message}`).toContain(want);
});

test('a look at a folder writes there, and leaves nothing behind', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dc-agent-'));
  expect(await lookAt(folder)).toEqual({ isWritable: true, freeBytes: expect.any(Number) });
  expect(readdirSync(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
  expect(await lookAt(folder)).toEqual({ isWritable: false, error: expect.stringContaining('ENOENT') });
});
