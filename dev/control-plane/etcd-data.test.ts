import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { prepareEtcdData } from './etcd-data.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dcmarket-etcd-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const dataOf = (): string => join(root, 'control-plane', 'etcd');
const fill = (): void => {
  mkdirSync(dataOf(), { recursive: true });
  writeFileSync(join(dataOf(), 'member'), 'x');
};

test('data that never served is made anew by the next start', () => {
  prepareEtcdData(dataOf());
  fill();
  prepareEtcdData(dataOf());
  expect(existsSync(dataOf())).toBe(false);
});

test('data that served once is kept, whatever happens later', () => {
  prepareEtcdData(dataOf()).served();
  fill();
  prepareEtcdData(dataOf());
  prepareEtcdData(dataOf());
  expect(existsSync(join(dataOf(), 'member'))).toBe(true);
});

test('data without a mark is never touched', () => {
  fill();
  prepareEtcdData(dataOf());
  expect(existsSync(join(dataOf(), 'member'))).toBe(true);
});
