import { expect, test } from 'vitest';
import { NAME_PATTERN } from '../crds/fields.ts';
import { base32Of, nameFrom } from './names.ts';

test('makes a DNS label of what people type', () => {
  expect(nameFrom('Europe Proxmox #1')).toBe('europe-proxmox-1');
  expect(nameFrom('  Zürich ')).toBe('zurich');
  expect(nameFrom('東京')).toBe('');
  for (const text of ['-a-', 'x'.repeat(200), `${'a'.repeat(62)}-b`, 'Ünïcode!!'])
    expect(nameFrom(text)).toMatch(NAME_PATTERN);
});

test('the same seed gives the same ten characters', () => {
  expect(base32Of('tenant/key', 10)).toBe(base32Of('tenant/key', 10));
  expect(base32Of('tenant/key', 10)).toMatch(/^[0-9a-z]{10}$/);
  expect(base32Of('tenant/other', 10)).not.toBe(base32Of('tenant/key', 10));
});
