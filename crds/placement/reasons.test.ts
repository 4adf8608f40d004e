/** Whoever meets a reason at a terminal finds it in the documentation. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { SCHEDULING_REASONS } from './explain.ts';
import { PASSED_OVER_REASONS } from './reasons.ts';

const page = readFileSync(new URL('../../docs/placement.md', import.meta.url), 'utf8');

test('docs/placement.md has every reason, and what to do', () => {
  const all: readonly string[] = [...SCHEDULING_REASONS, ...PASSED_OVER_REASONS];
  expect(all.filter((reason) => !page.includes(`\`${reason}\``))).toEqual([]);
});
