import { expect, test } from 'vitest';
import { readConfig } from './config.ts';

const DATABASE_URL = 'postgres://localhost/market';

test('needs only a database, and has defaults for the rest', () => {
  expect(readConfig({ DATABASE_URL })).toMatchObject({
    METRICS_PORT: 8081,
    LEASE_DURATION_SECONDS: 15,
    LEASE_RENEW_DEADLINE_SECONDS: 10,
    LEASE_RETRY_SECONDS: 2,
  });
  expect(() => readConfig({})).toThrow(/DATABASE_URL/);
});

const lease = (duration: string, deadline: string, retry: string) => () =>
  readConfig({
    DATABASE_URL,
    LEASE_DURATION_SECONDS: duration,
    LEASE_RENEW_DEADLINE_SECONDS: deadline,
    LEASE_RETRY_SECONDS: retry,
  });

test('a leader renews several times before it stops, and stops before another one begins', () => {
  expect(lease('3', '2', '0.5')()).toMatchObject({ LEASE_RETRY_SECONDS: 0.5 });
  expect(lease('3', '3', '1')).toThrow(/LEASE_RENEW_DEADLINE_SECONDS: is 3, but must be less than/);
  expect(lease('3', '2', '2')).toThrow(/LEASE_RETRY_SECONDS: is 2, up to 2.4 with jitter/);
  expect(lease('2.5', '2', '1')).toThrow(/LEASE_DURATION_SECONDS/);
});
