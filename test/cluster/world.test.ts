/** The servers that the run shares are there, and what a file takes from them is its own. */
import { CoreV1Api } from '@kubernetes/client-node';
import pg from 'pg';
import { expect, test } from 'vitest';
import { addTestUser, createDatabase, inNamespace, kubeConfig } from '../world/cluster.ts';

test('a namespace of its own can be written to', async () => {
  const namespace = await inNamespace();
  const api = kubeConfig().makeApiClient(CoreV1Api);
  await api.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'a' }, data: { b: 'c' } } });
  const { items } = await api.listNamespacedConfigMap({ namespace });
  expect(items.map((item) => item.data)).toEqual([{ b: 'c' }]);
});

test('two databases do not see each other', async () => {
  const [one, other] = [await createDatabase(), await createDatabase()];
  const tables = async (url: string, sql: string): Promise<number> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(sql);
    const { rowCount } = await client.query(`select 1 from pg_tables where tablename = 'seen'`);
    await client.end();
    return rowCount ?? 0;
  };
  expect(await tables(one.url, 'create table seen (id int)')).toBe(1);
  expect(await tables(other.url, 'select 1')).toBe(0);
  await Promise.all([one.drop(), other.drop()]);
});

test('a user without a role binding may read nothing', async () => {
  const file = await addTestUser({ name: 'stranger', groups: ['strangers'] });
  const listing = kubeConfig(file).makeApiClient(CoreV1Api).listNamespace();
  await expect(listing).rejects.toMatchObject({ code: 403 });
});
