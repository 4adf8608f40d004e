import { expect, test } from 'vitest';
import { z } from 'zod';
import { environmentHelp, readEnvironment } from './program.ts';

const Environment = z.object({
  DATABASE_URL: z.url().describe('PostgreSQL.'),
  PORT: z.coerce.number().int().max(65_535).default(8080).describe('Where it listens.'),
  HOSTS: z
    .string()
    .transform((list) => list.split(','))
    .optional()
    .describe('Comma list.'),
});

test('an empty variable is as good as none, others are read as what they are', () =>
  expect(readEnvironment(Environment, { DATABASE_URL: 'postgres://a/b', PORT: '', HOSTS: 'a,b' })).toEqual({
    DATABASE_URL: 'postgres://a/b',
    PORT: 8080,
    HOSTS: ['a', 'b'],
  }));

test('each variable that is wrong is named, with what it is for', () =>
  expect(() => readEnvironment(Environment, { PORT: '70000' })).toThrow(
    `The environment is not valid:
  DATABASE_URL: is not set (PostgreSQL.)
  PORT: Too big: expected number to be <=65535 (Where it listens.)`,
  ));

test('help lists all of them', () =>
  expect(environmentHelp(Environment)).toBe(`  DATABASE_URL (required)
      PostgreSQL.
  PORT (default 8080)
      Where it listens.
  HOSTS
      Comma list.`));
