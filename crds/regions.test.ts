import { expect, test } from 'vitest';
import { COUNTRY_CODES, REGIONS, regionOfCountry, suggestCountry } from './regions.ts';

test('all 249 codes of ISO 3166-1, each in exactly one region, each a country that this runtime knows', () => {
  expect(COUNTRY_CODES).toHaveLength(249);
  expect(new Set(COUNTRY_CODES).size).toBe(249);
  const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });
  expect(COUNTRY_CODES.filter((code) => names.of(code) === undefined)).toEqual([]);
});

test('every region has countries', () => {
  for (const region of REGIONS)
    expect(COUNTRY_CODES.some((code) => regionOfCountry(code) === region)).toBe(true);
});

const cases = {
  DE: 'europe',
  US: 'na',
  MX: 'na',
  CR: 'na',
  BR: 'latam',
  JP: 'apac',
  AU: 'apac',
  IN: 'apac',
  AE: 'mena',
  TR: 'mena',
  EG: 'mena',
  ZA: 'ssa',
  KE: 'ssa',
  RU: 'cis',
  UA: 'cis',
  KZ: 'cis',
};
for (const [code, region] of Object.entries(cases))
  test(`${code} is ${region}`, () => expect(regionOfCountry(code)).toBe(region));

test('an unknown code has no region, and a common mistake a suggestion', () => {
  expect(regionOfCountry('UK')).toBeUndefined();
  expect(suggestCountry('UK')).toBe('GB');
  expect(suggestCountry('de')).toBe('DE');
  expect(suggestCountry('XX')).toBeUndefined();
});
