import { expect, test } from 'vitest';
import type { AgentPool } from './agent-pool.ts';
import { announcedVersion, upgradeOf } from './agent-upgrade.ts';
import { anAgent, aPool, at } from './contract/builders.ts';

const LATER = at(60).toISOString();
type Case = {
  name: string;
  version: string | undefined;
  pool: Partial<AgentPool['spec']>;
  want: string;
  told: string | undefined;
};
const cases: Case[] = [
  { name: 'nothing is planned', version: '1.0.0', pool: {}, want: 'UpToDate', told: undefined },
  {
    name: 'an upgrade, at once',
    version: '1.0.0',
    pool: { upgrade: { toVersion: '1.1.0' } },
    want: 'Announced',
    told: '1.1.0',
  },
  {
    name: 'an upgrade, later',
    version: '1.0.0',
    pool: { upgrade: { toVersion: '1.1.0', notBefore: LATER } },
    want: 'Planned',
    told: undefined,
  },
  {
    name: 'a pre-release is older than its release',
    version: '1.1.0-rc.1',
    pool: { upgrade: { toVersion: '1.1.0' } },
    want: 'Announced',
    told: '1.1.0',
  },
  {
    name: 'it has that version already',
    version: '1.1.0',
    pool: { upgrade: { toVersion: '1.1.0' }, minVersion: '1.1.0' },
    want: 'UpToDate',
    told: undefined,
  },
  {
    name: 'it never said its version',
    version: undefined,
    pool: { upgrade: { toVersion: '1.1.0' } },
    want: 'Announced',
    told: '1.1.0',
  },
  {
    name: 'below the floor, and told where to go',
    version: '0.9.0',
    pool: { minVersion: '1.0.0', upgrade: { toVersion: '1.1.0' } },
    want: 'TooOld',
    told: '1.1.0',
  },
  {
    name: 'below the floor, and nothing is planned',
    version: '0.9.0',
    pool: { minVersion: '1.0.0' },
    want: 'TooOld',
    told: undefined,
  },
];
for (const { name, version, pool, want, told } of cases)
  test(name, () => {
    const agent = { ...anAgent(1), status: version === undefined ? {} : { version } };
    const facts = { agent, pool: aPool('europe-script', pool), now: at(0) };
    expect(upgradeOf(facts).state).toBe(want);
    expect(announcedVersion(facts)).toBe(told);
  });
