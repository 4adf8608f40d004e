/** What we say we run is what the pinned Go modules build. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ETCD_VERSION, KUBERNETES_VERSION, platformName } from './versions.ts';

const goMod = (module: string): string =>
  readFileSync(join(import.meta.dirname, 'go', module, 'go.mod'), 'utf8');

test('the modules pin the versions that we name', () => {
  expect(goMod('kubernetes')).toContain(`k8s.io/kubernetes v${KUBERNETES_VERSION}\n`);
  expect(goMod('etcd')).toContain(`go.etcd.io/etcd/server/v3 v${ETCD_VERSION}\n`);
});

test('every replaced module has the patch version of the whole', () => {
  const replaced = [...goMod('kubernetes').matchAll(/=> k8s\.io\/\S+ (\S+)/g)].map(([, version]) => version);
  expect(replaced.length).toBeGreaterThan(25);
  expect(new Set(replaced)).toEqual(new Set([`v0.${KUBERNETES_VERSION.split('.').slice(1).join('.')}`]));
});

test('machines are called as Go calls them', () => {
  expect(platformName('linux', 'x64')).toBe('linux-amd64');
  expect(platformName('darwin', 'arm64')).toBe('darwin-arm64');
});
