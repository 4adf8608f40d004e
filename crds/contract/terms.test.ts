import { expect, test } from 'vitest';
import { API_VERSION } from '../group.ts';
import type { Recipe } from '../recipe.ts';
import { anOffering } from './builders.ts';
import { TermsSnapshot } from './spec.ts';
import { snapshotTerms } from './terms.ts';

test('a contract keeps where and by what it may be built', () => {
  const where = {
    poolName: 'europe-script',
    regions: ['na' as const],
    provisionerTypes: ['docker' as const],
    requirements: { capabilities: ['kvm'], storageClass: 'nvme' },
  };
  const terms = snapshotTerms(anOffering(where), undefined);
  expect(terms).toMatchObject({ region: 'europe', provisionerType: 'script', ...where });
  expect(TermsSnapshot.safeParse(terms).error?.issues ?? []).toEqual([]);
});

test('what the offering does not say is not in the terms: an older contract looks the same', () => {
  const terms = snapshotTerms(anOffering({ regions: [], provisionerTypes: [] }), undefined);
  for (const field of ['poolName', 'regions', 'provisionerTypes', 'requirements'])
    expect(terms).not.toHaveProperty(field);
});

test('the recipe is part of the terms, so there are none before it is there', () => {
  const offering = anOffering({ recipe: { name: 'motd' } });
  expect(snapshotTerms(offering, undefined)).toBeUndefined();
  const recipe: Recipe = {
    apiVersion: API_VERSION,
    kind: 'Recipe',
    metadata: { name: 'motd' },
    spec: { title: 'Motd', revision: 3, script: 'true' },
  };
  expect(snapshotTerms(offering, recipe)?.recipe).toEqual({ name: 'motd', revision: 3 });
});
