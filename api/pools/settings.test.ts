/** Of the settings of a pool, what is left out stays, and null takes away. */
import { expect, test } from 'vitest';
import type { AgentPool } from '../../crds/agent-pool.ts';
import { UpdatePoolRequest } from '../../crds/wire/pool-settings.ts';
import { withSettings } from './settings.ts';

type Spec = AgentPool['spec'];
const bare: Spec = {
  ...{ location: 'europe', provisionerType: 'script' },
  ...{ priority: 0, lockTTLSeconds: 300, paused: false },
};
const overcommit = { cpuPercent: 400, memoryPercent: 100, storagePercent: 100 };
const full: Spec = {
  ...{ ...bare, displayName: 'EU', priority: 10, minVersion: '1.2.0', upgrade: { toVersion: '1.3.0' } },
  fallbackPools: [{ name: 'hetzner', afterSeconds: 120 }],
  placement: { strategy: 'Pack', instancesPerAgent: 4, buildsPerAgent: 2, overcommit },
};
const { minVersion, upgrade, fallbackPools, ...rest } = full;

test.each<[what: string, spec: Spec, said: object, next: Spec]>([
  ['one thing of many', full, { priority: -5 }, { ...full, priority: -5 }],
  ['what is not placing makes no placement', bare, { lockTTLSeconds: 60 }, { ...bare, lockTTLSeconds: 60 }],
  [
    'a strategy where there was none',
    bare,
    { strategy: 'Pack' },
    { ...bare, placement: { strategy: 'Pack' } },
  ],
  [
    'limits of an agent',
    bare,
    { instancesPerAgent: 9, buildsPerAgent: 3 },
    { ...bare, placement: { strategy: 'Spread', instancesPerAgent: 9, buildsPerAgent: 3 } },
  ],
  ['what is taken away', full, { minVersion: null, upgrade: null, fallbackPools: null }, rest],
  [
    'what is taken away of placing',
    full,
    { instancesPerAgent: null, buildsPerAgent: null, overcommit: null },
    { ...full, placement: { strategy: 'Pack' } },
  ],
  ['nothing to take away', bare, { instancesPerAgent: null }, bare],
  [
    'other fallbacks in place of those that there were',
    full,
    { fallbackPools: [{ name: 'manual', afterSeconds: 600 }] },
    { ...full, fallbackPools: [{ name: 'manual', afterSeconds: 600 }] },
  ],
])('%s', (_what, spec, said, next) =>
  expect(withSettings(spec, UpdatePoolRequest.parse(said))).toEqual(next),
);

test.each([
  [{}, 'name at least one thing'],
  [{ priority: null }, 'priority'],
  [{ priority: 1001 }, 'priority'],
  [{ lockTTLSeconds: 4 }, 'lockTTLSeconds'],
  [{ strategy: 'Random' }, 'strategy'],
  [{ buildsPerAgent: 0 }, 'buildsPerAgent'],
  [{ fallbackPools: [{ name: 'hetzner', afterSeconds: 1, when: 'full' }] }, 'when'],
  [{ location: 'na' }, 'location'],
])('%j is refused', (said, why) =>
  expect(JSON.stringify(UpdatePoolRequest.safeParse(said).error?.issues)).toContain(why),
);
