/** etcd put back from an older backup while the installation runs on. The variants are in `restore.sweep.ts`. */
import { test } from 'vitest';
import { liveThroughRestore } from './scenario.ts';

test(
  'an older etcd: every tenant keeps its one machine, what ended stays ended, and the market finds back by itself',
  () => liveThroughRestore({ name: 'restore', programs: 'Survive', postgres: 'Down', versions: 'Ahead' }),
  240_000,
);
