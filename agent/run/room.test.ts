import { describe, expect, test } from 'vitest';
import type { Amounts } from '../../crds/placement/amounts.ts';
import { fakeClock } from '../../lib/fake-clock.ts';
import { wantedBy } from '../state/size.ts';
import { aMachine, aPending } from '../testing/builders.ts';
import { createRoom, FULL_FOR_MS } from './room.ts';

const GIB = 2 ** 30;
const size = (cpuCores: number, memoryAmount = '1024 MB') => ({
  ...aPending('c', 0),
  cpuCores,
  memoryAmount,
});
const ONE = wantedBy(size(1));
const machine = (n: number) => aMachine(1, { contractId: `c${n}`, externalId: `dc-c${n}` });

type Given = Readonly<{
  maxInstances?: number;
  unfinished?: readonly string[];
  remembered?: readonly string[];
  sizes?: Readonly<Record<string, Amounts>>;
}>;

function open({ maxInstances, unfinished = [], remembered = [], sizes = {} }: Given = {}) {
  const clock = fakeClock();
  const parts = { unfinished: () => unfinished, remembered: () => remembered };
  const room = createRoom({ clock, maxInstances, ...parts, sizeOf: (id) => sizes[id] });
  const list = (...numbers: readonly number[]): void =>
    room.noteListing(numbers.map(machine), clock.monotonicMs());
  return { clock, room, list };
}

test('counts what stands and what is being built, each contract once', async () => {
  const { room, list, clock } = open({ maxInstances: 3, unfinished: ['c2', 'c3'] });
  list(1, 2);
  expect(room.has('c4', ONE)).toBe(false);
  expect(room.has('c3', ONE)).toBe(true); // its own place
  await clock.advance(1);
  list(2);
  expect(room.has('c4', ONE)).toBe(true);
  room.noteBuilt(machine(9));
  expect(room.has('c4', ONE)).toBe(false);
});

describe('by the sums', () => {
  const sizes = { c1: wantedBy(size(4)), c2: wantedBy(size(2, '4096 MB')), c3: { ...ONE, gpus: 1 } };
  const cases = [
    { name: 'nobody says what there is', promised: undefined, wanted: size(9000), fits: true },
    { name: 'only what is said limits', promised: { memoryBytes: 99 * GIB }, wanted: size(9000), fits: true },
    { name: 'exactly what is left', promised: { cpuMilli: 8000 }, wanted: size(1), fits: true },
    { name: 'a core more than is left', promised: { cpuMilli: 8000 }, wanted: size(2), fits: false },
    {
      name: 'memory is a sum too',
      promised: { memoryBytes: 8 * GIB },
      wanted: size(1, '2049 MB'),
      fits: false,
    },
    { name: 'and disk', promised: { storageBytes: 3 * GIB }, wanted: size(1), fits: false },
    { name: 'and machines', promised: { instances: 3 }, wanted: size(1), fits: false },
    { name: 'GPUs, where one is wanted', promised: { gpus: 1 }, gpus: 1, fits: false },
    { name: 'and not else', promised: { gpus: 0 }, wanted: size(1), fits: true },
  ];
  for (const { name, promised, wanted = size(1), gpus = 0, fits } of cases)
    test(name, () => {
      const { room, list } = open({ unfinished: ['c3'], sizes });
      list(1, 2);
      room.notePromised(promised);
      expect(room.has('c4', { ...wantedBy(wanted), gpus })).toBe(fits);
    });

  test('a listed machine that nobody remembers takes what its listing says, else one place', () => {
    const { room, clock } = open();
    room.notePromised({ cpuMilli: 4000, instances: 3 });
    const told = { ...machine(1), size: { cpuMilli: 3000, memoryBytes: 0, storageBytes: 0 } };
    room.noteListing([told, machine(2)], clock.monotonicMs());
    expect([room.has('c3', ONE), room.has('c3', wantedBy(size(2)))]).toEqual([true, false]);
    room.noteBuilt(machine(4));
    expect(room.has('c3', ONE)).toBe(false);
  });

  test('the smaller of what the pool and what the host allows', () => {
    const { room, list } = open({ maxInstances: 2 });
    list(1);
    room.notePromised({ instances: 1 });
    expect(room.has('c4', ONE)).toBe(false);
    room.notePromised({ instances: 9 });
    expect(room.has('c4', ONE)).toBe(true);
    room.notePromised(undefined); // an older facade
    list(1, 2);
    expect(room.has('c4', ONE)).toBe(false);
  });

  test('before the first listing the disk says what may stand', () => {
    const { room, list } = open({ remembered: ['c1'], sizes });
    room.notePromised({ cpuMilli: 4000 });
    expect(room.has('c4', ONE)).toBe(false);
    list();
    expect(room.has('c4', ONE)).toBe(true);
  });

  test('half a machine counts until somebody has looked', async () => {
    const { room, list, clock } = open({ sizes });
    room.notePromised({ cpuMilli: 4000 });
    list();
    await clock.advance(1);
    const beganMs = clock.monotonicMs();
    await clock.advance(1);
    room.noteBrokenOff('c1');
    room.noteListing([], beganMs); // which had begun before
    expect(room.has('c4', ONE)).toBe(false);
    await clock.advance(1);
    list();
    expect(room.has('c4', ONE)).toBe(true);
  });
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
  const { room, list, clock } = open();
  list(1, 2);
  room.noteFull(size(4));
  await clock.advance(1);
  list(1, 2);
  expect(room.mayFit(size(4))).toBe(false);
  await clock.advance(1);
  list(1);
  expect(room.mayFit(size(4))).toBe(true);
  room.noteFull(size(4));
  await clock.advance(FULL_FOR_MS - 1);
  expect(room.mayFit(size(4))).toBe(false);
  await clock.advance(1);
  expect(room.mayFit(size(4))).toBe(true);
});
