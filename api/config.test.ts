import { expect, test } from 'vitest';
import { publicUrlOf, readConfig } from './config.ts';

test('has a default for everything', () => {
  expect(readConfig({})).toMatchObject({
    PORT: 8080,
    HOST: '127.0.0.1',
    PROVIDER_REGISTRATION: 'Closed',
    LOG_LEVEL: 'info',
  });
});

test('reads a list of public authorities', () => {
  expect(readConfig({ PUBLIC_AUTHORITIES: 'API.example.com, [::1]:8080' }).PUBLIC_AUTHORITIES).toEqual([
    'api.example.com',
    '[::1]:8080',
  ]);
});

test('names every variable that is wrong', () => {
  expect(() =>
    readConfig({ PORT: 'http', PROVIDER_REGISTRATION: 'open', PUBLIC_AUTHORITIES: 'https://x' }),
  ).toThrow(/PORT: .*\n.*PUBLIC_AUTHORITIES.*\n.*PROVIDER_REGISTRATION: .*"Open"\|"Closed"/);
});

test('public links are https, except on this machine', () => {
  expect(publicUrlOf('api.example.com')).toBe('https://api.example.com');
  expect(publicUrlOf('127.0.0.1:8080')).toBe('http://127.0.0.1:8080');
});
