import { expect, test } from 'vitest';
import { API_VERSION } from '../group.ts';
import type { Recipe } from '../recipe.ts';
import { anOffering, aProvider } from './builders.ts';
import { TermsSnapshot } from './spec.ts';
import { snapshotTerms } from './terms.ts';

const provider = aProvider();

test('a contract keeps where and by what it may be built', () => {
  const where = {
    poolName: 'europe-script',
    regions: ['na' as const],
    provisionerTypes: ['docker' as const],
    requirements: { capabilities: ['kvm'], storageClass: 'nvme' },
  };
  const terms = snapshotTerms(anOffering(where), { provider });
  expect(terms).toMatchObject({ region: 'europe', provisionerType: 'script', ...where });
  expect(TermsSnapshot.safeParse(terms).error?.issues ?? []).toEqual([]);
});

test('what the offering does not say is not in the terms: an older contract looks the same', () => {
  const terms = snapshotTerms(anOffering({ regions: [], provisionerTypes: [] }), { provider });
  for (const field of ['poolName', 'regions', 'provisionerTypes', 'requirements'])
    expect(terms).not.toHaveProperty(field);
});

test('the recipe is part of the terms, so there are none before it is there', () => {
  const offering = anOffering({ recipe: { name: 'motd' } });
  expect(snapshotTerms(offering, { provider })).toBeUndefined();
  const recipe: Recipe = {
    apiVersion: API_VERSION,
    kind: 'Recipe',
    metadata: { name: 'motd' },
    spec: { title: 'Motd', revision: 3, script: 'true' },
  };
  expect(snapshotTerms(offering, { provider, recipe })?.recipe).toEqual({ name: 'motd', revision: 3 });
});

test.each([
  ['what the offering allows', 720, undefined, 720],
  ['what the provider allows, where that is less', 720, 24, 24],
  ['never more than the offering allows', 48, 8760, 48],
])('no rental becomes longer than %s', (_name, maxHours, maxDurationHours, want) => {
  const offering = anOffering({ duration: { minHours: 1, maxHours, defaultHours: 24 } });
  const acceptance = {
    mode: 'Automatic' as const,
    ...(maxDurationHours === undefined ? {} : { maxDurationHours }),
  };
  expect(snapshotTerms(offering, { provider: aProvider({ acceptance }) })?.maxHours).toBe(want);
});

test('there are none before it is known what the provider allows', () =>
  expect(snapshotTerms(anOffering(), { provider: undefined })).toBeUndefined());
