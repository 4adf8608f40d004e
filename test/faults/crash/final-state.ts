/** What is left in the end, without what differs from run to run by right: the cluster, PostgreSQL and the machines. */
import { isDeepStrictEqual } from 'node:util';
import { Client } from 'pg';
import { uidOfContractId } from '../../../crds/contract/contract.ts';
import type { Evidence } from '../oracles/evidence.ts';
import { type Gist, gistOf } from '../oracles/gist.ts';
import { AGENTS, type ProcessWorld, STRANGER } from '../processes/process-world.ts';

export type FinalState = Gist &
  Readonly<{
    /** Of the tenant, who rented once. */
    contracts: number;
    conditions: readonly string[];
    /** What PostgreSQL knows of the machine: `Provisioned`, `Active`, … of the last epoch. */
    recorded: readonly string[];
    isArchived: boolean;
    /** The Idempotency-Key is known, and names no other contract. (The note of its own may be lost in a crash.) */
    isKeyKept: boolean;
  }>;

type About = Readonly<{ contractId: string; tenantKey: string }>;

export async function evidenceOf(world: ProcessWorld, contractId: string): Promise<Evidence> {
  const { items } = await world.clients.agents.list({ namespace: world.namespace });
  return {
    contractId,
    versions: world.history.of(uidOfContractId(contractId) ?? ''),
    records: world.ledger.records(),
    machines: world.ledger.machines(),
    agents: items,
    strangers: AGENTS.map((name) => `${name}/${STRANGER}`),
  };
}

export async function finalStateOf(
  world: ProcessWorld,
  { contractId, tenantKey }: About,
): Promise<FinalState> {
  const { clients, namespace } = world;
  const [evidence, contracts, stored] = await Promise.all([
    evidenceOf(world, contractId),
    clients.contracts.list({ namespace }),
    askPostgres(world.databaseUrl, { contractId, tenantKey }),
  ]);
  const { status } = evidence.versions.at(-1)?.contract ?? {};
  return {
    ...gistOf(evidence),
    contracts: contracts.items.filter(({ spec }) => spec.tenant.publicKey === tenantKey).length,
    conditions: (status?.conditions ?? []).map((one) => `${one.type}=${one.status}`).sort(),
    ...stored,
  };
}

/**
 * Contracts that agents and pool count as theirs. Not part of the final state: these figures are written at most
 * every ten seconds, so a lane looks at them once, when all its runs are over.
 */
export async function countedIn({ clients, namespace }: ProcessWorld): Promise<number> {
  const [agents, pools] = await Promise.all([
    clients.agents.list({ namespace }),
    clients.pools.list({ namespace }),
  ]);
  const counts = [...agents.items, ...pools.items].map(({ status }) => status?.activeContracts ?? 0);
  return counts.reduce((sum, count) => sum + count, 0);
}

async function askPostgres(databaseUrl: string, { contractId, tenantKey }: About) {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const uid = uidOfContractId(contractId);
    const { rows: events } = await client.query(
      `SELECT DISTINCT event FROM contract_instances WHERE contract_uid = $1
         AND epoch = (SELECT max(epoch) FROM contract_instances WHERE contract_uid = $1) ORDER BY event`,
      [uid],
    );
    const { rows: archived } = await client.query('SELECT 1 FROM archived_contracts WHERE uid = $1', [uid]);
    const { rows: keys } = await client.query(
      'SELECT contract_uid FROM idempotency_keys WHERE tenant_key = $1',
      [tenantKey],
    );
    return {
      recorded: events.map(({ event }) => String(event)),
      isArchived: archived.length > 0,
      isKeyKept: keys.length === 1 && [uid, null].includes(keys[0].contract_uid),
    };
  } finally {
    await client.end();
  }
}

/** What is different, a sentence each. */
export function differences(expected: FinalState, seen: FinalState): readonly string[] {
  const keys = Object.keys(expected) as (keyof FinalState)[]; // exactly the keys of the type
  return keys
    .filter((key) => !isDeepStrictEqual(expected[key], seen[key]))
    .map((key) => `${key}: ${JSON.stringify(seen[key])}, without faults ${JSON.stringify(expected[key])}`);
}
