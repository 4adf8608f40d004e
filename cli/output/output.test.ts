import { expect, test } from 'vitest';
import { createPrinter, visible } from './printer.ts';
import { formatTable } from './table.ts';
import { durationWords, priceWords, whenWords } from './words.ts';

test.each([
  [0, '0s'],
  [59_999, '59s'],
  [60_000, '1m'],
  [3_600_000, '1h'],
  [47 * 3_600_000, '47h'],
  [48 * 3_600_000, '2d'],
  [-5, '0s'],
])('%i ms is %s', (ms, words) => expect(durationWords(ms)).toBe(words));

test('instants are before or after now', () => {
  const now = new Date('2026-01-01T12:00:00Z');
  expect(whenWords('2026-01-01T10:00:00Z', now)).toBe('2h ago');
  expect(whenWords('2026-01-31T12:00:00Z', now)).toBe('in 30d');
  expect(whenWords(null, now)).toBeUndefined();
});

test.each([
  [{ amountMinor: 500, currency: 'EUR', per: 'Month' }, '5.00 EUR / month'],
  [{ amountMinor: 500, currency: 'JPY', per: 'Hour' }, '500 JPY / hour'],
  [{ amountMinor: 1_234, currency: 'KWD', per: 'Day' }, '1.234 KWD / day'],
  [{ amountMinor: 0, currency: 'EUR', per: 'Month' }, 'free'],
] as const)('%j is %s', (price, words) => expect(priceWords(price)).toBe(words));

test('a table keeps a row on one line and says - for nothing', () => {
  const rows = [
    { a: 'x\ny', b: null },
    { a: 'longer one', b: 2 },
  ];
  const columns = [
    { title: 'A', cell: (row: (typeof rows)[number]) => row.a },
    { title: 'B', cell: (row: (typeof rows)[number]) => row.b },
  ];
  expect(formatTable(rows, columns, (_style, text) => text)).toBe(
    'A           B\nx y         -\nlonger one  2',
  );
});

test('colour only on a terminal, and never with NO_COLOR', () => {
  const output = (isTTY: boolean) => ({ write: () => true, isTTY });
  const paint = (isTTY: boolean, env: Record<string, string>): string =>
    createPrinter({ stdout: output(isTTY), stderr: output(isTTY), env }).paint('red', 'no');
  expect(paint(true, {})).toBe('\u001b[31mno\u001b[39m');
  expect(paint(false, {})).toBe('no');
  expect(paint(true, { NO_COLOR: '1' })).toBe('no');
});

test('a text of others cannot move the cursor, hide or reverse', () =>
  expect(visible('a\u001b[2Jb\rc\u0007d\u202ee\u009bf\nnext')).toBe('a␛[2Jb␍c␇d\ufffde\ufffdf\nnext'));
