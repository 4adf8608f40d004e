/** The proxy before PostgreSQL shows its client exactly the fault that was asked for, and counts what writes. */
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../world/cluster.ts';
import { openPostgresProxy, type PostgresProxy } from './postgres.ts';
import { isWriting } from './postgres-wire.ts';

let database: TestDatabase;
let proxy: PostgresProxy;
const clients: Client[] = [];

beforeAll(async () => {
  database = await createDatabase();
  await (await connected(database.url)).query('CREATE TABLE notes (id int PRIMARY KEY)');
  await closeAll();
});
afterAll(() => database.drop());
beforeEach(async () => {
  proxy = await openPostgresProxy(database.url);
});
afterEach(async () => {
  await closeAll();
  await proxy.close();
  await (await connected(database.url)).query('DELETE FROM notes');
  await closeAll();
});

async function connected(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined); // the proxy cuts it
  await client.connect();
  clients.push(client);
  return client;
}
const closeAll = async (): Promise<void> => {
  await Promise.all(clients.splice(0).map((client) => client.end().catch(() => undefined)));
};
const notes = async (): Promise<number[]> => {
  const { rows } = await (await connected(database.url)).query('SELECT id FROM notes ORDER BY id');
  return rows.map(({ id }) => id);
};
const add = (client: Client, id: number) => client.query('INSERT INTO notes VALUES ($1)', [id]);

test('counts what writes, prepared or not, and lets all of it pass', async () => {
  const client = await connected(proxy.url);
  await client.query('SELECT * FROM notes');
  await client.query('BEGIN');
  await add(client, 1);
  await client.query('COMMIT');
  await client.query('UPDATE notes SET id = 2');
  expect(proxy.statements().map(({ n, sql }) => `${n} ${sql}`)).toEqual([
    '1 INSERT INTO notes VALUES ($1)',
    '2 COMMIT',
    '3 UPDATE notes SET id = 2',
  ]);
  expect(await notes()).toEqual([2]);
});

test('a statement that is refused was never carried out', async () => {
  const client = await connected(proxy.url);
  proxy.decide(() => ({ type: 'Refuse' }));
  await expect(add(client, 1)).rejects.toThrow();
  expect(await notes()).toEqual([]);
});

test('a lost reply: the second statement is there, and what had to happen in between has happened', async () => {
  const client = await connected(proxy.url);
  const ran: number[][] = [];
  const run = async (): Promise<void> => void ran.push(await notes());
  proxy.decide(({ n }) => (n === 2 ? { type: 'AfterCommit', run, reply: 'Lose' } : { type: 'Pass' }));
  await add(client, 1);
  await expect(add(client, 2)).rejects.toThrow();
  expect(ran).toEqual([[1, 2]]);
});

test('what PostgreSQL itself refuses is no effect', async () => {
  const client = await connected(proxy.url);
  await add(client, 1);
  let ran = 0;
  const run = async (): Promise<void> => void ran++;
  proxy.decide(() => ({ type: 'AfterCommit', run, reply: 'Lose' }));
  await expect(add(client, 1)).rejects.toMatchObject({ code: '23505' });
  expect(ran).toBe(0);
});

test('is down, and then there again', async () => {
  await proxy.fail('Cut');
  await expect(connected(proxy.url)).rejects.toThrow();
  await proxy.heal();
  await add(await connected(proxy.url), 1);
  expect(await notes()).toEqual([1]);
});

test.each([
  ['SELECT 1', false],
  ['  -- why\n select 1', false],
  ['BEGIN', false],
  ['WITH gone AS (DELETE FROM notes RETURNING id) SELECT * FROM gone', true],
  ['insert into notes values (1)', true],
  ['CREATE TABLE more ()', true],
])('%s writes: %s', (sql, writes) => {
  expect(isWriting(sql)).toBe(writes);
});
