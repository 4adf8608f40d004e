/**
 * Every try to build a contract. The object keeps its last few; here all of them stay, as far as the operator
 * saw them. A row is found by (contract, agent, epoch): a later word about the same try replaces an earlier one,
 * since an expired try may still succeed, and an older word never replaces a newer one.
 */
import type { Attempt } from '../crds/contract/status.ts';
import type { Database } from './database.ts';

export type AttemptRecord = Readonly<{ contractUID: string; attempt: Attempt }>;
/** With the key of the tenant, where the contract is archived. */
type FoundAttempt = AttemptRecord & Readonly<{ tenantKey?: string }>;

export type Attempts = Readonly<{
  /** Idempotent, in one statement however many they are. */
  put: (records: readonly AttemptRecord[]) => Promise<void>;
  /** All tries of a contract, in the order of their end. */
  get: (contractUID: string) => Promise<Attempt[]>;
  /** Those that ended after `since`, the newest first and at most `limit`, of whatever contracts. */
  endedSince: (options: Readonly<{ since: Date; limit: number }>) => Promise<FoundAttempt[]>;
}>;

type Row = {
  agent_uid: string;
  /** PostgreSQL's bigint arrives as text; epochs fit a JavaScript number by their schema. */
  epoch: string;
  agent: string;
  started_at: Date;
  ended_at: Date;
  outcome: Attempt['outcome'];
  class: Attempt['class'] | null;
  message: string | null;
};

const PUT = `
  INSERT INTO attempts AS kept (contract_uid, agent_uid, epoch, agent, started_at, ended_at, outcome, class,
    message)
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::timestamptz[], $6::timestamptz[],
    $7::text[], $8::text[], $9::text[])
  ON CONFLICT (contract_uid, agent_uid, epoch) DO UPDATE SET ended_at = excluded.ended_at,
    outcome = excluded.outcome, class = excluded.class, message = excluded.message
  -- Every operator that starts tells of every attempt: what is known already is not written again.
  WHERE excluded.ended_at >= kept.ended_at
    AND (kept.ended_at, kept.outcome, kept.class, kept.message)
      IS DISTINCT FROM (excluded.ended_at, excluded.outcome, excluded.class, excluded.message)`;

export function openAttempts(database: Database): Attempts {
  return {
    put: async (records) => {
      const rows = [...new Map(records.map((record) => [keyOf(record), record])).values()];
      if (rows.length === 0) return;
      const column = <T>(read: (attempt: Attempt) => T): T[] => rows.map(({ attempt }) => read(attempt));
      await database.query(PUT, [
        rows.map(({ contractUID }) => contractUID),
        column(({ agentUID }) => agentUID),
        column(({ epoch }) => epoch),
        column(({ agent }) => agent),
        column(({ startedAt }) => startedAt),
        column(({ endedAt }) => endedAt),
        column(({ outcome }) => outcome),
        column((attempt) => attempt.class ?? null),
        column(({ message }) => message?.replaceAll('\u0000', '\uFFFD') ?? null), // text holds no NUL
      ]);
    },
    get: async (contractUID) => {
      const rows = await database.query<Row>(
        `SELECT agent_uid, epoch, agent, started_at, ended_at, outcome, class, message FROM attempts
         WHERE contract_uid = $1 ORDER BY ended_at, epoch`,
        [contractUID],
      );
      return rows.map(present);
    },
    endedSince: async ({ since, limit }) => {
      const rows = await database.query<Row & { contract_uid: string; tenant_key: string | null }>(
        `SELECT contract_uid, tenant_key, agent_uid, epoch, agent, started_at, ended_at, outcome, class, message
         FROM attempts LEFT JOIN archived_contracts ON uid = contract_uid WHERE ended_at > $1 ORDER BY ended_at DESC LIMIT $2`,
        [since, limit],
      );
      return rows.map((row) => ({
        contractUID: row.contract_uid,
        ...(row.tenant_key === null ? {} : { tenantKey: row.tenant_key }),
        attempt: present(row),
      }));
    },
  };
}

/** One statement must not touch a row twice; of two words about one try the last is kept. */
const keyOf = ({ contractUID, attempt: { agentUID, epoch } }: AttemptRecord): string =>
  `${contractUID}/${agentUID}/${epoch}`;

const present = (row: Row): Attempt => ({
  agent: row.agent,
  agentUID: row.agent_uid,
  epoch: Number(row.epoch),
  startedAt: row.started_at.toISOString(),
  endedAt: row.ended_at.toISOString(),
  outcome: row.outcome,
  ...(row.class === null ? {} : { class: row.class }),
  ...(row.message === null ? {} : { message: row.message }),
});
