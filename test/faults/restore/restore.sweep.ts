/** The other ways in which an older etcd may come back. */
import { test } from 'vitest';
import { liveThroughRestore, type Variant } from './scenario.ts';

const VARIANTS: readonly (Variant & { readonly title: string })[] = [
  {
    title: 'nobody of before is left, PostgreSQL knows the version',
    name: 'r-restart',
    programs: 'Restart',
    postgres: 'Up',
    versions: 'Ahead',
  },
  {
    title: 'nobody of before is left, and PostgreSQL is away: the agents know',
    name: 'r-agents',
    programs: 'Restart',
    postgres: 'Down',
    versions: 'Ahead',
  },
  {
    title: 'the restored server has overtaken every version that was seen',
    name: 'r-overtaken',
    programs: 'Restart',
    postgres: 'Up',
    versions: 'Overtaken',
  },
  { title: 'everybody survives', name: 'r-survive', programs: 'Survive', postgres: 'Up', versions: 'Ahead' },
];

for (const { title, ...variant } of VARIANTS) test(title, () => liveThroughRestore(variant), 300_000);
