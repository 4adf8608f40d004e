import { describe, expect, test } from 'vitest';
import {
  changesAtMs,
  faultOfWindow,
  isOver,
  showWindow,
  windowAfter,
  windowAt,
  windowsOf,
} from './maintenance.ts';

const at = (time: string): number => Date.parse(`2026-01-01T${time}:00Z`);
const window = (from: string, until: string, quietMinutes = 15) => ({
  startsAt: `2026-01-01T${from}:00Z`,
  endsAt: `2026-01-01T${until}:00Z`,
  quietMinutes,
});
const NIGHT = windowsOf([window('12:00', '14:00'), window('18:00', '18:30', 0)]);

describe('a maintenance window', () => {
  test.each([
    { time: '11:44', closed: false, why: 'what is begun now is done before it starts' },
    { time: '11:45', closed: true, why: 'what is begun now could run into it' },
    { time: '13:59', closed: true, why: 'it is on' },
    { time: '14:00', closed: false, why: 'it is over' },
    { time: '17:59', closed: false, why: 'this one has no quiet time before' },
    { time: '18:00', closed: true, why: 'it is on' },
  ])('at $time: $why', ({ time, closed }) => {
    expect(windowAt(NIGHT, at(time)) !== undefined).toBe(closed);
  });

  test('of two at once the one that ends last is told', () =>
    expect(
      windowAt(windowsOf([window('12:00', '14:00'), window('12:30', '15:00')]), at('13:00'))?.endsMs,
    ).toBe(at('15:00')));

  test('the next one is not the one that is on', () => {
    expect(windowAfter(NIGHT, at('13:00'))?.startsMs).toBe(at('18:00'));
    expect(windowAfter(NIGHT, at('18:00'))).toBeUndefined();
  });

  test('says when its answer changes by time alone', () => {
    expect(changesAtMs(NIGHT, at('10:00'))).toBe(at('11:45'));
    expect(changesAtMs(NIGHT, at('11:45'))).toBe(at('14:00'));
    expect(changesAtMs(NIGHT, at('18:30'))).toBeUndefined();
  });

  describe('that comes again', () => {
    const once = (from: string, until: string, every: 'Day' | 'Week', quietMinutes = 15) =>
      windowsOf([{ startsAt: `${from}:00Z`, endsAt: `${until}:00Z`, every, quietMinutes }]);
    const sunday = once('2024-02-25T02:00', '2024-02-25T04:00', 'Week');
    const newYear = once('2023-12-31T23:00', '2024-01-01T01:00', 'Day');
    const long = once('2024-01-01T00:00', '2024-01-01T23:59', 'Day', 1440);
    test.each([
      ['the first', sunday, '2024-02-25T03:00', '2024-02-25T02:00'],
      ['not before the first', sunday, '2024-02-18T03:00', undefined],
      ['over the 29th of February', sunday, '2024-03-03T03:59', '2024-03-03T02:00'],
      ['with its quiet time', sunday, '2024-03-10T01:45', '2024-03-10T02:00'],
      ['not before that', sunday, '2024-03-10T01:44', undefined],
      ['not after it', sunday, '2024-03-10T04:00', undefined],
      ['on the night in which clocks in Europe go forward', sunday, '2024-03-31T03:30', '2024-03-31T02:00'],
      ['on the night in which they go back', sunday, '2024-10-27T02:00', '2024-10-27T02:00'],
      ['not an hour later on it', sunday, '2024-10-27T04:00', undefined],
      ['after years', sunday, '2026-11-22T02:00', '2026-11-22T02:00'],
      ['over midnight', newYear, '2024-02-29T00:30', '2024-02-28T23:00'],
      ['over a year', newYear, '2025-01-01T00:59', '2024-12-31T23:00'],
      [
        'of one that is on and the next, which closes already, the next',
        long,
        '2024-01-02T12:00',
        '2024-01-03T00:00',
      ],
    ])('%s', (_name, windows, now, starts) => {
      const found = windowAt(windows, Date.parse(`${now}:00Z`));
      expect(found && new Date(found.startsMs).toISOString().slice(0, 16)).toBe(starts);
    });
    test('is asked again at each of its edges, and is never over', () => {
      const at = (time: string): number => Date.parse(`${time}:00Z`);
      let nowMs = at('2024-02-24T00:00');
      const edges = Array.from({ length: 4 }, () => {
        nowMs = changesAtMs(sunday, nowMs) ?? 0;
        return new Date(nowMs).toISOString().slice(0, 16);
      });
      expect(edges).toEqual(['2024-02-25T01:45', '2024-02-25T04:00', '2024-03-03T01:45', '2024-03-03T04:00']);
      expect(windowAfter(sunday, at('2024-02-25T02:00'))?.startsMs).toBe(at('2024-03-03T02:00'));
      const window = { startsAt: '2024-02-25T02:00:00Z', endsAt: '2024-02-25T04:00:00Z', quietMinutes: 15 };
      expect(isOver({ ...window, every: 'Week' }, at('2026-01-01T00:00'))).toBe(false);
      expect(isOver(window, at('2026-01-01T00:00'))).toBe(true);
    });
    test.each([
      ['Day', '2024-01-01T23:59', undefined],
      ['Day', '2024-01-02T00:00', 'a maintenance window that comes again ends before it does'],
      ['Week', '2024-01-07T23:59', undefined],
      ['Week', '2024-01-08T00:00', 'a maintenance window that comes again ends before it does'],
      ['Week', '2024-01-01T00:00', 'a maintenance window ends after it starts'],
      [undefined, '2030-01-01T00:00', undefined],
    ] as const)('every %s until %s: %s', (every, until, fault) =>
      expect(
        faultOfWindow({ startsAt: '2024-01-01T00:00:00Z', endsAt: `${until}:00Z`, quietMinutes: 0, every }),
      ).toBe(fault),
    );
  });

  test('is told in instants', () =>
    expect(showWindow(windowsOf([{ ...window('12:00', '14:00'), reason: 'disk swap' }])[0] as never)).toBe(
      'from 2026-01-01T12:00:00Z until 2026-01-01T14:00:00Z ("disk swap")',
    ));
});
