import { describe, expect, test } from 'vitest';
import { aContract, anAgent, anOffering, aPool } from './contract/builders.ts';
import type { Contract } from './contract/contract.ts';
import { PHASES } from './contract/phase.ts';
import { isUsed, tellUses, usesOfOffering, usesOfPool, usesOfProvider, whatFrees } from './in-use.ts';

const pool = aPool('p');
const nobody = { agents: [], offerings: [], contracts: [], pools: [pool] };
const named = (name: string, contract: Contract): Contract => ({
  ...contract,
  metadata: { ...contract.metadata, name },
});

describe('a pool is used by', () => {
  const cases = [
    { name: 'nobody', users: {}, want: {} },
    { name: 'an agent', users: { agents: [anAgent(1, { poolName: 'p' })] }, want: { agents: ['agent-1'] } },
    { name: 'no revoked agent', users: { agents: [anAgent(1, { poolName: 'p', revoked: true })] }, want: {} },
    { name: 'no agent of another pool', users: { agents: [anAgent(1)] }, want: {} },
    {
      name: 'an offering that names it',
      users: { offerings: [anOffering({ poolName: 'p' })] },
      want: { offerings: ['hello'] },
    },
    { name: 'no offering that finds it by region', users: { offerings: [anOffering()] }, want: {} },
    {
      name: 'a contract that is held in it',
      users: { contracts: [aContract('Active', { pool: 'p' })] },
      want: { contracts: ['hello-abcdefghij'] },
    },
    { name: 'none held elsewhere', users: { contracts: [aContract('Active', { pool: 'q' })] }, want: {} },
    { name: 'none that ended', users: { contracts: [aContract('Expired', { pool: 'p' })] }, want: {} },
    {
      name: 'a contract that waits and that nobody else could build',
      users: { contracts: [aContract('Accepted')] },
      want: { contracts: ['hello-abcdefghij'] },
    },
    {
      name: 'none that another pool could build',
      users: { contracts: [aContract('Accepted')], pools: [pool, aPool('q')] },
      want: {},
    },
    {
      name: 'one whose other pool is deleted as well',
      users: {
        contracts: [aContract('Accepted')],
        pools: [pool, { ...aPool('q'), metadata: { ...aPool('q').metadata, deletionTimestamp: 'now' } }],
      },
      want: { contracts: ['hello-abcdefghij'] },
    },
  ];
  for (const { name, users, want } of cases)
    test(name, () => {
      const uses = usesOfPool(pool, { ...nobody, ...users });
      expect(uses).toEqual({ agents: [], offerings: [], contracts: [], ...want });
      expect(isUsed(uses)).toBe(Object.keys(want).length > 0);
    });
});

test('an offering is used from acceptance to the end, and by its own contracts alone', () => {
  const used = PHASES.filter((phase) => isUsed(usesOfOffering(anOffering(), [aContract(phase)])));
  expect(used).toEqual(['Accepted', 'Provisioning', 'Provisioned', 'Active', 'Paused', 'Terminating']);
  const other = aContract('Active', {}, { spec: { offering: { name: 'other' } } });
  expect(isUsed(usesOfOffering(anOffering(), [other]))).toBe(false);
});

test('a provider is used by all that is in its namespace and has not ended', () =>
  expect(
    usesOfProvider({
      agents: [anAgent(1), anAgent(2, { revoked: true })],
      offerings: [anOffering()],
      pools: [pool],
      contracts: [named('a', aContract('Active')), named('b', aContract('Failed'))],
    }),
  ).toEqual({ pools: ['p'], agents: ['agent-1'], offerings: ['hello'], contracts: ['a'] }));

test('it is told in counts and names, the first five of each', () => {
  const contracts = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  expect(tellUses({ agents: ['node-1'], offerings: [], contracts })).toBe(
    '1 agent (node-1) and 7 contracts (a, b, c, d, e and 2 more)',
  );
  expect(tellUses({ pools: ['p'], agents: ['x', 'y'], contracts: ['c'] })).toBe(
    '1 pool (p), 2 agents (x, y) and 1 contract (c)',
  );
});

test('what frees it names only what is in the way', () => {
  expect(whatFrees('AgentPool', { agents: ['node-1'], offerings: [], contracts: ['c'] })).toBe(
    'Revoke its agents and cancel its contracts or let them end',
  );
  expect(whatFrees('Provider', { pools: ['p'] })).toBe('Delete its pools');
});
