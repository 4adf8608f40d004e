import { expect, test } from 'vitest';
import type { z } from 'zod';
import { Problem } from '../../crds/problem.ts';
import { HeartbeatRequest } from '../../crds/wire/heartbeat.ts';
import { LockRequest } from '../../crds/wire/lock.ts';
import { RentRequest } from '../../crds/wire/market.ts';
import { UpdatePoolRequest } from '../../crds/wire/pool-settings.ts';
import { AgentSetupRequest } from '../../crds/wire/pools.ts';
import { ReconcileRequest } from '../../crds/wire/reconcile.ts';
import { ProvisionedRequest } from '../../crds/wire/reports.ts';
import { validate } from './validation.ts';

const KEY = 'a'.repeat(64);
const body = (schema: z.ZodType, data: unknown): unknown => validate(schema, { data, part: 'body' });

function refusal(schema: z.ZodType, data: unknown): Problem {
  try {
    body(schema, data);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

test('takes the snake_case spelling of the specification, at every depth that the schema names', () => {
  expect(body(AgentSetupRequest, { token: 'apt_europe_1', agent_pubkey: KEY })).toEqual({
    token: 'apt_europe_1',
    agentPubkey: KEY,
  });
  expect(
    body(ProvisionedRequest, { epoch: 1, instance_details: { external_id: 'vm', ssh_port: 22 } }),
  ).toMatchObject({ instanceDetails: { externalId: 'vm', sshPort: 22 } });
  expect(body(ReconcileRequest, { running_instances: [{ external_id: 'a', contract_id: null }] })).toEqual({
    runningInstances: [{ externalId: 'a', contractId: null }],
  });
  expect(body(LockRequest, { observed_epoch: 3 })).toEqual({ observedEpoch: 3 });
  expect(body(UpdatePoolRequest, { lock_ttl_seconds: 60 })).toEqual({ lockTTLSeconds: 60 });
  expect(
    body(HeartbeatRequest, {
      version: '0.6.0',
      provisioner_type: 'script',
      active_contracts: -2,
      resources: { storage_pools: [{ name: 'x', total_gb: 1, available_gb: 1 }] },
    }),
  ).toMatchObject({ resources: { storagePools: [{ totalGb: 1 }] } });
});

test('keeps the keys of free-form objects as they are', () => {
  const rented = {
    offeringId: 'a/b',
    sshPublicKey: 'ssh-ed25519 AAAA',
    instanceConfig: { my_key: { sub_key: 1 } },
  };
  expect(body(RentRequest, rented)).toMatchObject({ instanceConfig: { my_key: { sub_key: 1 } } });
});

test('refuses both spellings of one field at once', () => {
  const problem = refusal(AgentSetupRequest, { token: 'apt_europe_1', agent_pubkey: KEY, agentPubkey: KEY });
  expect(problem.code).toBe('ValidationFailed');
  expect(problem.message).toBe('agentPubkey: is there as agentPubkey and as agent_pubkey: send one of them');
});

test('names a field that is not known, also when it looks like one that is', () => {
  const problem = refusal(AgentSetupRequest, { token: 'apt_europe_1', agentPubkey: KEY, agentpubkey: KEY });
  expect(problem.code).toBe('UnknownField');
  expect(problem.message).toContain('agentpubkey');
  const nested = refusal(ProvisionedRequest, {
    instanceDetails: { externalId: 'x', sshPort: 22, root_password: 'y' },
  });
  expect(nested.extra['errors']).toEqual([
    { field: 'instanceDetails.root_password', message: 'is not known here' },
  ]);
});

test('names every field that is wrong and what is allowed', () => {
  const problem = refusal(ProvisionedRequest, {
    epoch: -1,
    instanceDetails: { externalId: '', sshPort: 70_000 },
  });
  expect(problem.code).toBe('ValidationFailed');
  expect(problem.extra['errors']).toMatchObject([
    { field: 'epoch' },
    { field: 'instanceDetails.externalId' },
    { field: 'instanceDetails.sshPort', message: expect.stringContaining('65535') },
  ]);
});

test('an absent body is an answer where the schema allows it', () => {
  expect(body(LockRequest, null)).toBeNull();
  expect(refusal(AgentSetupRequest, undefined).status).toBe(422);
});
