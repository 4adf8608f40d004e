/** Who may do what to a contract, with users of the API server's own: the admission policies, and RBAC behind them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aHolder, someTerms, uidOf } from '../../crds/contract/builders.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import { GROUP, VERSION } from '../../crds/group.ts';
import { STATUS_WRITERS } from '../../crds/policies.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { ResourceClient } from '../../kube/resource.ts';
import { eventually } from '../world/eventually.ts';
import { resourceOf } from '../world/market.ts';
import { newContract, walkTo, wayTo } from './phases.ts';
import { openUsers, type PolicyUsers, said } from './policy-users.ts';

let users: PolicyUsers;
let admin: KubeClient;
let contracts: ResourceClient<Contract>;
let namespace: string;
beforeAll(async () => {
  users = await openUsers('policies');
  ({ admin, namespace } = users);
  contracts = resourceOf<Contract>(admin, 'Contract');
});
afterAll(() => users.close());

const as = (user: 'editor' | 'breaker') => resourceOf<Contract>(users.as(user), 'Contract');
const ending = async (name: string): Promise<Contract> => {
  const made = await newContract(contracts, { name, namespace });
  const there = await walkTo(contracts, made, wayTo('Terminating'));
  return contracts.updateStatus({
    ...there,
    status: { ...there.status, holders: [aHolder(1, 1)] },
  } as Contract);
};
const force = (user: 'editor' | 'breaker', contract: Contract, by: string) =>
  said(
    as(user).update({
      ...contract,
      spec: {
        ...contract.spec,
        forceRelease: [{ agentUID: uidOf(1), epoch: 1, by, reason: 'the host burnt down' }],
      },
    }),
  );

describe('a holder released by force', () => {
  test('needs the verb force-release, and the own name', async () => {
    const contract = await ending('burnt');
    // A policy counts a moment after it was made.
    await eventually(async () =>
      expect(await force('editor', contract, 'editor')).toMatch(
        /403 .*editor may not release a holder by force/,
      ),
    );
    expect(await force('breaker', contract, 'somebody-else')).toMatch(
      /403 .*forceRelease.by must be your own user name: breaker/,
    );
    expect(await force('breaker', contract, 'breaker')).toBe('taken');
  });

  test('does not keep others from writing the spec afterwards', async () => {
    const contract = await ending('others');
    expect(await force('breaker', contract, 'breaker')).toBe('taken');
    const forced = await contracts.get({ namespace, name: 'others' });
    if (!forced) throw new Error('it is there');
    const cancelled = { ...forced, spec: { ...forced.spec, cancel: { requested: true } } };
    expect(await said(as('editor').update(cancelled))).toBe('taken');
  });

  test('needs the verb at birth too', async () => {
    const wish = [{ agentUID: uidOf(1), epoch: 1, by: 'editor', reason: 'why not' }];
    const made = said(newContract(as('editor'), { name: 'born', namespace }, { forceRelease: wish }));
    expect(await made).toMatch(/403 .*editor may not release a holder by force/);
  });
});

describe('the status of a contract', () => {
  test('is not written by who may otherwise edit contracts', async () => {
    const contract = await ending('by-hand');
    const freed = { ...contract, status: { ...contract.status, holders: [] } } as unknown as Contract;
    await eventually(async () =>
      expect(await said(as('editor').updateStatus(freed))).toMatch(
        /403 .*editor may not write the status of a contract/,
      ),
    );
    expect(await said(as('breaker').updateStatus(freed))).toBe('taken');
  });

  test.each(STATUS_WRITERS)('is written by %s, without any right to force', async (writer) => {
    const contract = await ending(`by-${writer.split('-').at(-1)}`);
    const path = `/apis/${GROUP}/${VERSION}/namespaces/${namespace}/contracts/${contract.metadata.name}`;
    const headers = { 'impersonate-user': writer };
    const body = { ...contract, status: { ...contract.status, message: 'written' } };
    await eventually(async () =>
      expect(await said(admin.raw({ method: 'PUT', path: `${path}/status`, body, headers }))).toBe('taken'),
    );
    const now = await contracts.get({ namespace, name: contract.metadata.name });
    const wish = [{ agentUID: uidOf(1), epoch: 1, by: writer, reason: 'why not' }];
    const forced = { ...now, spec: { ...now?.spec, forceRelease: wish } };
    expect(await said(admin.raw({ method: 'PUT', path, body: forced, headers }))).toMatch(
      /403 .*may not release a holder by force/,
    );
  });
});

describe('the terms of a contract', () => {
  const terms = { termsSnapshot: someTerms({ price: { amountMinor: 0, currency: 'EUR', per: 'Month' } }) };
  test('are not made up by who rents by YAML, at birth or later', async () => {
    const place = { name: 'own-terms', namespace };
    await eventually(async () =>
      expect(await said(newContract(as('editor'), place, terms))).toMatch(
        /403 .*editor may not write the terms of a contract: leave spec.termsSnapshot out/,
      ),
    );
    const made = await newContract(as('editor'), place);
    const later = { ...made, spec: { ...made.spec, ...terms } };
    expect(await said(as('editor').update(later))).toMatch(/403 .*may not write the terms/);
    const written = await contracts.update(later); // as the operator does
    expect(await said(as('editor').update({ ...written, spec: { ...written.spec, restart: 0 } }))).toBe(
      'taken',
    );
  });
});

describe('deletion protection', () => {
  const isProtected = { 'dcmarket.io/deletion-protection': 'true' };
  const remove = ({ metadata }: Contract) => contracts.delete(metadata, { uid: metadata.uid });

  test('whoever deletes it is told which annotation to remove, an administrator too', async () => {
    const made = await newContract(contracts, { name: 'protected', namespace });
    const kept = await contracts.update({
      ...made,
      metadata: { ...made.metadata, annotations: isProtected },
    });
    await expect(remove(kept)).rejects.toThrow(
      'protected is protected from deletion: remove its annotation dcmarket.io/deletion-protection first',
    );
    await contracts.update({ ...kept, metadata: { ...kept.metadata, annotations: {} } });
    await remove(kept);
    expect(await contracts.get(kept.metadata)).toBeUndefined();
  });

  test('a contract that has ended may go: it is in the archive', async () => {
    const made = await newContract(contracts, { name: 'protected-ended', namespace });
    const kept = await contracts.update({
      ...made,
      metadata: { ...made.metadata, annotations: isProtected },
    });
    await walkTo(contracts, kept, wayTo('Cancelled'));
    await remove(kept);
    expect(await contracts.get(kept.metadata)).toBeUndefined();
  });
});
