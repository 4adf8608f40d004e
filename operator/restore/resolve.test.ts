import { expect, test } from 'vitest';
import { aContract, aHolder, aLock } from '../../crds/contract/builders.ts';
import { KubeError } from '../../kube/error.ts';
import { fakeClock } from '../../lib/fake-clock.ts';
import { createLogger } from '../../lib/log.ts';
import { resolveContract } from './resolve.ts';

const contract = aContract('Provisioning', { epoch: 1, lock: aLock(1), holders: [aHolder(1, 1)] });
const conflict = new KubeError({ status: 409, reason: 'Conflict', message: 'somebody wrote in between' });

/** Every write loses its race; `live` is what is read then. */
const resolve = (live: typeof contract | undefined) =>
  resolveContract(
    {
      clients: { contracts: { get: async () => live, updateStatus: () => Promise.reject(conflict) } },
      clock: fakeClock(),
      log: createLogger({ name: 'test', level: 'silent' }),
    },
    {
      contract,
      stored: undefined,
      inventory: new Map(),
      agents: new Map(),
      listed: new Set(),
      generation: 1,
      signal: new AbortController().signal,
    },
  );

test('a contract that others write again and again is not taken for resolved', async () => {
  await expect(resolve(contract)).rejects.toThrow('written by others too often');
});

test('one that is gone by then needs nothing', async () => {
  await expect(resolve(undefined)).resolves.toBeUndefined();
});
