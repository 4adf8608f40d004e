import { expect, test } from 'vitest';
import type { Contract } from '../crds/contract/contract.ts';
import { ContractGate } from './contract-gate.ts';

const version = (resourceVersion: string): Contract => ({
  apiVersion: 'dcmarket.io/v1alpha1',
  kind: 'Contract',
  metadata: { name: 'c', resourceVersion },
  spec: {
    offering: { name: 'o' },
    tenant: { publicKey: 'a' },
    sshPublicKeys: ['k'],
    powerState: 'Running',
    restart: 0,
    reinstall: 0,
    passwordReset: 0,
    retry: 0,
  },
});

test('runs one at a time per contract, in order, and contracts beside each other', async () => {
  const gate = new ContractGate();
  const seen: string[] = [];
  const first = Promise.withResolvers<void>();
  const a1 = gate.run('a', async () => {
    seen.push('a1 begins');
    await first.promise;
    seen.push('a1 ends');
  });
  const a2 = gate.run('a', async () => void seen.push('a2'));
  await gate.run('b', async () => void seen.push('b'));
  expect(seen).toEqual(['a1 begins', 'b']);
  first.resolve();
  await Promise.all([a1, a2]);
  expect(seen).toEqual(['a1 begins', 'b', 'a1 ends', 'a2']);
});

test('hands on what was written, unless the cache knows something newer', async () => {
  const gate = new ContractGate();
  const writes = gate.run('a', async ({ newest, remember }) => {
    expect(newest(version('5'))?.metadata.resourceVersion).toBe('5');
    remember(version('9'));
  });
  const older = gate.run('a', async ({ newest }) => newest(version('10'))?.metadata.resourceVersion);
  const stale = gate.run('a', async ({ newest }) => newest(version('7'))?.metadata.resourceVersion);
  await writes;
  expect([await older, await stale]).toEqual(['10', '9']);
});

test('a failure is its own caller’s, and the next one goes on', async () => {
  const gate = new ContractGate();
  const failing = gate.run('a', async () => {
    throw new Error('lost');
  });
  const next = gate.run('a', async () => 'done');
  await expect(failing).rejects.toThrow('lost');
  expect(await next).toBe('done');
});
