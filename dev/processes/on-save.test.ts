/** Saves: several in a moment are one, tests and other files are none. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import { temporaryFolder } from '../control-plane/stand-ins.ts';
import { onSave } from './on-save.ts';

let root: string;
beforeEach(() => {
  root = temporaryFolder();
  for (const part of ['api', 'operator/contract']) mkdirSync(join(root, part), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('names the parts that changed, once', async () => {
  const stopping = new AbortController();
  const calls: string[][] = [];
  const called = new Promise<void>((resolve) => {
    const options = { root, parts: ['api', 'operator'], clock: systemClock, signal: stopping.signal };
    onSave(options, (parts) => {
      calls.push([...parts].sort());
      resolve();
    });
  });
  writeFileSync(join(root, 'api', 'notes.txt'), '');
  writeFileSync(join(root, 'operator', 'contract', 'decide.test.ts'), '');
  writeFileSync(join(root, 'operator', 'contract', 'decide.ts'), '');
  writeFileSync(join(root, 'operator', 'contract', 'apply.ts'), '');
  await called;
  stopping.abort();
  expect(calls).toEqual([['operator']]);
});
