/** The tenant's side of the demonstration: rents, follows the contract, and cancels it again. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ContractView, RentResponse } from '../../crds/wire/market.ts';
import type { Dev } from '../commands/dev.ts';
import { Failure } from '../failure.ts';
import { writeFileAtomically } from '../files.ts';
import { waitUntil } from '../processes/wait-until.ts';
import type { Api } from './api-client.ts';
import type { DemoKeys } from './keys.ts';

export type Tenant = Readonly<{ api: Api; keys: DemoKeys }>;

const OFFERING = 'demo/hello';
const ACTIVE_MS = 60_000;
const GONE_MS = 90_000;
const ENDED: readonly string[] = ['Rejected', 'Cancelled', 'Expired', 'Failed'];
const Remembered = z.object({ contractId: z.string(), serial: z.int() });

/** The contract of the last start while it lives, else a new one. */
export async function rentOnce(dev: Dev, tenant: Tenant): Promise<{ contractId: string; isNew: boolean }> {
  const file = join(dev.paths.state, 'demo.json');
  const last = existsSync(file)
    ? Remembered.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data
    : undefined;
  if (last && (await isAlive(tenant, last.contractId))) return { contractId: last.contractId, isNew: false };
  const serial = (last?.serial ?? 0) + 1;
  // Derived from what this start knows, so that a lost answer or a crash meets the same contract again.
  const idempotencyKey = createHash('sha256')
    .update(`${tenant.keys.tenant.publicKey}/${serial}`)
    .digest('hex')
    .slice(0, 32);
  const rented = await tenant.api(RentResponse, {
    method: 'POST',
    path: '/api/v1/contracts',
    seed: tenant.keys.tenant.seed,
    headers: { 'idempotency-key': idempotencyKey },
    body: { offeringId: OFFERING, sshPublicKey: tenant.keys.ssh.publicKey, durationHours: 24 },
  });
  writeFileAtomically(file, `${JSON.stringify({ contractId: rented.contractId, serial })}\n`);
  return { contractId: rented.contractId, isNew: true };
}

const isAlive = async (tenant: Tenant, contractId: string): Promise<boolean> => {
  try {
    return !ENDED.includes((await contractOf(tenant, contractId)).phase);
  } catch (error) {
    if (error instanceof Failure) return false; // not found: another cluster, or removed meanwhile
    throw error;
  }
};

export const contractOf = ({ api, keys }: Tenant, contractId: string): Promise<ContractView> =>
  api(ContractView, { method: 'GET', path: `/api/v1/contracts/${contractId}`, seed: keys.tenant.seed });

/** Follows the contract to Active and says what it waits for. */
export async function untilActive(
  dev: Dev,
  {
    tenant,
    contractId,
    report,
  }: Readonly<{ tenant: Tenant; contractId: string; report: (what: string) => void }>,
): Promise<ContractView> {
  return waitUntil(
    async () => {
      const contract = await contractOf(tenant, contractId);
      report(`${contract.phase}: ${contract.message}`);
      if (ENDED.includes(contract.phase))
        throw new Failure('StepFailed', `the contract ended ${contract.phase}: ${contract.message}`);
      if (contract.phase !== 'Active') throw new Error(`it is ${contract.phase}: ${contract.message}`);
      return contract;
    },
    {
      what: 'the contract',
      clock: dev.clock,
      signal: dev.signal,
      timeoutMs: ACTIVE_MS,
      pollMs: 100,
      next: `See ${dev.paths.folders.logs}/.`,
    },
  );
}

/** Cancels and waits until the contract has ended, which it does only when its machine is gone. */
export async function cancelAndWait(
  dev: Dev,
  { tenant, contractId }: Readonly<{ tenant: Tenant; contractId: string }>,
): Promise<void> {
  await tenant.api(z.unknown(), {
    method: 'PUT',
    path: `/api/v1/contracts/${contractId}/cancel`,
    seed: tenant.keys.tenant.seed,
    body: { note: 'npm start -- --once is done' },
  });
  await waitUntil(
    async () => {
      const { phase, message } = await contractOf(tenant, contractId);
      if (!ENDED.includes(phase)) throw new Error(`it is ${phase}: ${message}`);
    },
    {
      what: 'the end of the contract',
      clock: dev.clock,
      signal: dev.signal,
      timeoutMs: GONE_MS,
      pollMs: 100,
    },
  );
}
