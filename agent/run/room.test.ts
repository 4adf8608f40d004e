import { expect, test } from 'vitest';
import { fakeClock } from '../../lib/fake-clock.ts';
import { aMachine, aPending } from '../testing/builders.ts';
import { createRoom, FULL_FOR_MS } from './room.ts';

const size = (cpuCores: number, memoryAmount = '1024 MB') => ({
  ...aPending('c', 0),
  cpuCores,
  memoryAmount,
});
const machine = (n: number) => aMachine(1, { contractId: `c${n}`, externalId: `dc-c${n}` });

function open({ maxInstances, building = [] }: { maxInstances?: number; building?: string[] } = {}) {
  const clock = fakeClock();
  return { clock, room: createRoom({ clock, maxInstances, building: () => building }) };
}

test('counts what stands and what is being built, each contract once', () => {
  const { room } = open({ maxInstances: 3, building: ['c2', 'c3'] });
  room.noteListing([machine(1), machine(2)]);
  expect(room.has('c4')).toBe(false);
  expect(room.has('c3')).toBe(true); // its own place
  room.noteListing([machine(2)]);
  expect(room.has('c4')).toBe(true);
  room.noteBuilt(machine(9));
  expect(room.has('c4')).toBe(false);
});

test('where there was no room nothing as large is asked for, what is smaller in any way is', () => {
  const { room } = open();
  expect(room.mayFit(size(4))).toBe(true);
  room.noteFull(size(4));
  expect(room.mayFit(size(4))).toBe(false);
  expect(room.mayFit(size(8, '9000 MB'))).toBe(false);
  expect(room.mayFit(size(2))).toBe(true);
  expect(room.mayFit(size(8, '512 MB'))).toBe(true);
});

test('it is asked for again when a machine has gone, or after a while', async () => {
  const { room, clock } = open();
  room.noteListing([machine(1), machine(2)]);
  room.noteFull(size(4));
  room.noteListing([machine(1), machine(2)]);
  expect(room.mayFit(size(4))).toBe(false);
  room.noteListing([machine(1)]);
  expect(room.mayFit(size(4))).toBe(true);
  room.noteFull(size(4));
  await clock.advance(FULL_FOR_MS - 1);
  expect(room.mayFit(size(4))).toBe(false);
  await clock.advance(1);
  expect(room.mayFit(size(4))).toBe(true);
});
