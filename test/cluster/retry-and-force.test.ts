/** What the API server itself says to a retry of what is archived, and to a holder that is released by force. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { aHolder, uidOf } from '../../crds/contract/builders.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import { FORCE_RELEASE_SENTENCE } from '../../crds/contract/force-release.ts';
import { ARCHIVED_SENTENCE } from '../../crds/contract/retry.ts';
import { createKubeClient, type KubeClient } from '../../kube/client.ts';
import { KubeError } from '../../kube/error.ts';
import type { ResourceClient } from '../../kube/resource.ts';
import { inNamespace } from '../world/cluster.ts';
import { resourceOf } from '../world/market.ts';
import { newContract, walkTo, wayTo } from './phases.ts';

let client: KubeClient;
let contracts: ResourceClient<Contract>;
let namespace: string;
beforeAll(async () => {
  client = createKubeClient({ kubeconfig: { file: inject('kubeconfig') } });
  contracts = resourceOf<Contract>(client, 'Contract');
  namespace = await inNamespace('force');
});
afterAll(() => client.close());

const said = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'taken',
    (error: unknown) => (error instanceof KubeError ? error.message : String(error)),
  );
const write = (contract: Contract, change: Partial<Contract['spec']>) =>
  contracts.update({ ...contract, spec: { ...contract.spec, ...change } });

describe('a retry', () => {
  test('of what is archived is refused in the words of the rule', async () => {
    const made = await newContract(contracts, { name: 'archived', namespace });
    const failed = await walkTo(contracts, made, wayTo('Failed'));
    const archived = {
      type: 'Archived',
      status: 'True',
      reason: 'Archived',
      message: 'Kept in the archive',
      lastTransitionTime: '2026-01-01T12:00:00.000Z',
    } as const;
    const kept = await contracts.updateStatus({
      ...failed,
      status: { ...failed.status, conditions: [archived] },
    } as Contract);
    expect(await said(write(kept, { retry: 1 }))).toContain(ARCHIVED_SENTENCE);
  });

  test('only rises, and none is made at birth', async () => {
    const made = await newContract(contracts, { name: 'rises', namespace });
    const failed = await walkTo(contracts, made, wayTo('Failed'));
    const once = await write(failed, { retry: 1 });
    expect(await said(write(once, { retry: 0 }))).toContain('retry only rises');
    expect(await said(newContract(contracts, { name: 'born', namespace }, { retry: 1 }))).toContain(
      'a contract begins with retry 0',
    );
  });
});

describe('a holder released by force', () => {
  const wish = (n: number, epoch: number) => ({
    agentUID: uidOf(n),
    epoch,
    by: 'admin',
    reason: 'the host burnt down',
  });
  const holding = async (name: string, phase: 'Accepted' | 'Terminating'): Promise<Contract> => {
    const made = await newContract(contracts, { name, namespace });
    const there = await walkTo(contracts, made, wayTo(phase));
    const holders = [aHolder(1, 1), aHolder(2, 2)];
    return contracts.updateStatus({ ...there, status: { ...there.status, epoch: 2, holders } } as Contract);
  };

  test('is one that keeps a contract from ending, or of an earlier epoch', async () => {
    const waiting = await holding('waiting', 'Accepted');
    expect(await said(write(waiting, { forceRelease: [wish(2, 2)] }))).toContain(FORCE_RELEASE_SENTENCE);
    expect(await said(write(waiting, { forceRelease: [wish(1, 1)] }))).toBe('taken');
    const ending = await holding('ending', 'Terminating');
    expect(await said(write(ending, { forceRelease: [wish(3, 1)] }))).toContain(FORCE_RELEASE_SENTENCE);
    expect(await said(write(ending, { forceRelease: [wish(1, 1), wish(2, 2)] }))).toBe('taken');
  });

  test('stays on record: neither changed nor taken away, and never in the way of other writes', async () => {
    const ending = await holding('record', 'Terminating');
    const forced = await write(ending, { forceRelease: [wish(1, 1)] });
    const gone = await contracts.updateStatus({
      ...forced,
      status: { ...forced.status, holders: [aHolder(2, 2)] },
    } as Contract);
    for (const forceRelease of [[], undefined, [{ ...wish(1, 1), reason: 'other' }]])
      expect(await said(write(gone, { forceRelease }))).toContain(
        'what was released by force stays on record',
      );
    expect(await said(write(gone, { cancel: { requested: true } }))).toBe('taken');
  });
});
