/** Connections to a PostgreSQL by URL: is it there, and a database of one's own in it. */
import pg from 'pg';
import { Failure } from '../failure.ts';

const CONNECT_MS = 5_000;

/** Answers the server's version (`18.4`). Throws `DatabaseUnreachable`; the message never has the password. */
export async function checkDatabase(url: string): Promise<string> {
  try {
    return await withClient(url, async (client) => {
      const { rows } = await client.query<{ server_version: string }>('show server_version');
      return rows[0]?.server_version.split(' ')[0] ?? 'unknown';
    });
  } catch (cause) {
    throw new Failure('DatabaseUnreachable', `no PostgreSQL answers at ${withoutPassword(url)}`, {
      next: 'Start it or correct DATABASE_URL; without DATABASE_URL there will be one of our own.',
      cause,
    });
  }
}

/** Makes the database `name`, empty or a copy of `template`, and answers its URL. */
export async function createDatabaseIn(url: string, name: string, template?: string): Promise<string> {
  await withClient(url, (client) =>
    client.query(
      `create database ${client.escapeIdentifier(name)}${template ? ` template ${client.escapeIdentifier(template)}` : ''}`,
    ),
  );
  const own = new URL(url);
  own.pathname = `/${encodeURIComponent(name)}`;
  return own.href;
}

export async function hasDatabase(url: string, name: string): Promise<boolean> {
  const sql = 'select 1 from pg_database where datname = $1';
  return withClient(url, async (client) => (await client.query(sql, [name])).rows.length > 0);
}

/** Removes the database, with whoever is still connected to it. */
export async function dropDatabaseIn(url: string, name: string): Promise<void> {
  await withClient(url, (client) =>
    client.query(`drop database if exists ${client.escapeIdentifier(name)} with (force)`),
  );
}

export function withoutPassword(url: string): string {
  try {
    const parsed = new URL(url);
    if (parsed.password) parsed.password = '***';
    return parsed.href;
  } catch {
    return 'DATABASE_URL, which is no URL';
  }
}

async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_MS });
  client.on('error', () => {}); // a connection that breaks later is reported by the query that needs it
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
