/** A table for a terminal: columns as wide as their widest cell, two spaces between, `-` for nothing. */
import type { Paint } from './printer.ts';

export type Column<Row> = Readonly<{ title: string; cell: (row: Row) => string | number | null | undefined }>;

export function formatTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  paint: Paint,
): string {
  const body = rows.map((row) => columns.map(({ cell }) => oneLine(cell(row))));
  const titles = columns.map(({ title }) => title);
  const widths = titles.map((title, column) =>
    Math.max(...[title, ...body.map((cells) => cells[column] ?? '')].map((cell) => [...cell].length)),
  );
  const lay = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - [...cell].length)))
      .join('  ')
      .trimEnd();
  return [paint('dim', lay(titles)), ...body.map(lay)].join('\n');
}

/** A cell is one line: line breaks in a title would make a second row out of it. */
const oneLine = (value: string | number | null | undefined): string =>
  value === null || value === undefined || value === '' ? '-' : String(value).replace(/\s+/g, ' ');
