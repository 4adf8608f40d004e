/** What was given up, and why: a contract that failed, a machine whose absence nobody confirmed. Never removed. */
import type { Attempt } from '../crds/contract/status.ts';
import type { Database } from './database.ts';

export type DeadLetter = Readonly<{
  contractUID: string;
  /** Which give-up of this contract: the same fact always has the same key. */
  key: string;
  namespace: string;
  name: string;
  reason: string;
  message: string;
  by: string;
  at: Date;
  attempts: readonly Attempt[];
}>;

export type DeadLetters = Readonly<{
  /** Idempotent: the first word about a fact stays. Answers those that were not known yet. */
  put: (letters: readonly DeadLetter[]) => Promise<DeadLetter[]>;
  /** Of one contract, oldest first. */
  get: (contractUID: string) => Promise<DeadLetter[]>;
}>;

type Row = {
  contract_uid: string;
  key: string;
  namespace: string;
  name: string;
  reason: string;
  message: string;
  by: string;
  at: Date;
  attempts: Attempt[];
};

const PUT = `
  INSERT INTO dead_letters (contract_uid, key, namespace, name, reason, message, by, at, attempts)
  SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::timestamptz[], $9::json[])
  ON CONFLICT DO NOTHING RETURNING contract_uid, key`;

export function openDeadLetters(database: Database): DeadLetters {
  return {
    put: async (letters) => {
      if (letters.length === 0) return [];
      const column = <T>(read: (letter: DeadLetter) => T): T[] => letters.map(read);
      const added = await database.query<Pick<Row, 'contract_uid' | 'key'>>(PUT, [
        column(({ contractUID }) => contractUID),
        column(({ key }) => key),
        column(({ namespace }) => namespace),
        column(({ name }) => name),
        column(({ reason }) => reason),
        column(({ message }) => message.replaceAll('\u0000', '\uFFFD')), // text holds no NUL
        column(({ by }) => by),
        column(({ at }) => at.toISOString()),
        column(({ attempts }) => JSON.stringify(attempts)),
      ]);
      return letters.filter(({ contractUID, key }) =>
        added.some((row) => row.contract_uid === contractUID && row.key === key),
      );
    },
    get: async (contractUID) => {
      const rows = await database.query<Row>(
        `SELECT contract_uid, key, namespace, name, reason, message, by, at, attempts FROM dead_letters
         WHERE contract_uid = $1 ORDER BY at, key`,
        [contractUID],
      );
      return rows.map(({ contract_uid, ...row }) => ({ ...row, contractUID: contract_uid }));
    },
  };
}
