import { expect, test } from 'vitest';
import { requestOf } from './build.ts';

test('what the offering fixes for its machines, no tenant changes; what it leaves open, they may choose', () => {
  const contract = {
    ...{ contractId: 'c', contract_id: 'c', offeringId: 'acme/vps', offering_id: 'acme/vps', epoch: 1 },
    ...{ requesterSshPubkey: 'ssh-ed25519 A', requester_ssh_pubkey: 'ssh-ed25519 A' },
    ...{ cpuCores: 1, cpu_cores: 1, memoryAmount: '1 MB', memory_amount: '1 MB' },
    ...{ storageCapacity: '1 GB', storage_capacity: '1 GB' },
    ...{ provisionerType: 'script', provisioner_type: 'script' },
    provisionerConfig: JSON.stringify({ bridge: 'guests', template: 9000 }),
    instanceConfig: JSON.stringify({ bridge: 'management', hostname: 'web' }),
  };
  const identity = { installation: 'i', agentUid: 'a' };
  const grant = { epoch: 1, contract, acceptedAt: '2026-01-01T00:00:00.000Z' };
  expect(requestOf({ identity }, grant).instanceConfig).toEqual({
    ...{ bridge: 'guests', template: 9000, hostname: 'web' },
  });
});
