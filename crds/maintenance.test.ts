import { describe, expect, test } from 'vitest';
import { changesAtMs, showWindow, windowAfter, windowAt, windowsOf } from './maintenance.ts';

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

  test('is told in instants', () =>
    expect(showWindow(windowsOf([{ ...window('12:00', '14:00'), reason: 'disk swap' }])[0] as never)).toBe(
      'from 2026-01-01T12:00:00Z until 2026-01-01T14:00:00Z ("disk swap")',
    ));
});
