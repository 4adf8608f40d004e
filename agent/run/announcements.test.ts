import { expect, test } from 'vitest';
import { createAnnouncer } from './announcements.ts';

function announcer() {
  const said: string[] = [];
  const note = (_: unknown, text?: string) => void said.push(text ?? '');
  return { said, hear: createAnnouncer({ info: note, warn: note }, { version: '1.1.0' }) };
}

test('an upgrade and a drain are said once, and again when they change', () => {
  const { said, hear } = announcer();
  for (const plans of [
    {},
    { upgradeToVersion: '1.2.0', drain: true },
    { upgradeToVersion: '1.2.0', drain: true },
  ])
    hear(plans);
  expect(said).toEqual([
    expect.stringContaining('empties this agent'),
    expect.stringContaining('plans dc-agent 1.2.0'),
  ]);
  hear({ upgradeToVersion: '1.3.0' });
  hear({});
  expect(said.slice(2)).toEqual([
    expect.stringContaining('work again'),
    expect.stringContaining('plans dc-agent 1.3.0'),
    expect.stringContaining('no upgrade'),
  ]);
});

test('a version that it has, or had, is no upgrade', () => {
  const { said, hear } = announcer();
  hear({ upgradeToVersion: '1.1.0' });
  hear({ upgradeToVersion: '1.0.9' });
  expect(said).toEqual([]);
});
