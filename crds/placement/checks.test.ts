import { describe, expect, test } from 'vitest';
import { aContract, aPool, at, someTerms, uidOf } from '../contract/builders.ts';
import type { LiveContract } from '../contract/contract.ts';
import type { TermsSnapshot } from '../contract/spec.ts';
import type { AgentFacts } from './agent-facts.ts';
import { crowded, failedAttempt, loaded, placeIn, refusals, someAgent } from './builders.ts';

const ill = { unhealthy: { reason: 'CannotList', message: 'disk errors' } };
const failing = (minutes: number, unproven = 0): Partial<AgentFacts> => ({
  health: {
    failures: [3, 2, 1].map((n) => ({ contractUID: uidOf(n), at: at(-minutes * 60 - n).toISOString() })),
  },
  load: { ...crowded(0), unproven },
});
const wanting = (terms: Partial<TermsSnapshot>, more: Partial<LiveContract['spec']> = {}): LiveContract =>
  aContract('Accepted', {}, { spec: { termsSnapshot: someTerms(terms), ...more } });
const resources = { cpu: '4', memory: '8Gi', storage: '100Gi' };

/** So many seconds from now. */
const aWindow = (from: number, until: number) => ({
  startsAt: at(from).toISOString(),
  endsAt: at(until).toISOString(),
  quietMinutes: 15,
});

type Case = {
  name: string;
  agent?: Parameters<typeof someAgent>[1];
  pool?: Parameters<typeof aPool>[1];
  contract?: LiveContract;
  siblings?: LiveContract[];
  want: string | undefined;
};
/** In the order of the chain: each is refused for its reason though all that follow hold as well. */
const cases: Case[] = [
  { name: 'nothing against it', want: undefined },
  { name: 'revoked', agent: { spec: { revoked: true, permissions: [] } }, want: 'AgentRevoked' },
  {
    name: 'being deleted',
    agent: { metadata: { deletionTimestamp: at(0).toISOString() } },
    want: 'AgentRevoked',
  },
  {
    name: 'no permission',
    agent: { spec: { permissions: ['heartbeat'] }, status: { provisionerType: 'docker' } },
    want: 'MissingPermission',
  },
  { name: 'says another type', agent: { status: { provisionerType: 'docker' } }, want: 'AgentTypeMismatch' },
  {
    name: 'a label that does not fit',
    contract: wanting({
      requirements: { selector: [{ key: 'disk', operator: 'In', values: ['nvme'] }], capabilities: ['kvm'] },
    }),
    agent: { labels: { disk: 'hdd' } },
    want: 'LabelMismatch',
  },
  {
    name: 'the label fits',
    contract: wanting({ requirements: { selector: [{ key: 'disk', operator: 'Exists' }] } }),
    agent: { labels: { disk: 'hdd' } },
    want: undefined,
  },
  {
    name: 'a feature that is missing',
    contract: wanting({ requirements: { capabilities: ['kvm', 'ipv6'], storageClass: 'nvme' } }),
    agent: { status: { capabilities: ['kvm'] } },
    want: 'MissingCapability',
  },
  {
    name: 'a disk that is missing',
    contract: wanting({ requirements: { capabilities: ['kvm'], storageClass: 'nvme' } }),
    agent: { status: { capabilities: ['kvm'], storageClasses: ['hdd'] } },
    want: 'MissingStorageClass',
  },
  {
    name: 'all that is asked for',
    contract: wanting({ requirements: { capabilities: ['kvm'], storageClass: 'nvme' } }),
    agent: { status: { capabilities: ['ipv6', 'kvm'], storageClasses: ['nvme'] } },
    want: undefined,
  },
  {
    name: 'smaller than the contract',
    contract: wanting({ resources: { ...resources, cpu: '33' } }),
    agent: { spec: { cordoned: true } },
    want: 'TooSmall',
  },
  {
    name: 'an agent that says nothing of itself is not limited',
    contract: wanting({ resources: { ...resources, cpu: '3300', gpu: 1 } }),
    agent: { status: { resources: undefined } },
    want: undefined,
  },
  { name: 'no GPU at all', contract: wanting({ resources: { ...resources, gpu: 1 } }), want: 'TooSmall' },
  {
    name: 'said that it cannot build this one',
    contract: aContract('Accepted', {
      epoch: 2,
      attempts: [{ ...failedAttempt(1, 1, at(-9)), class: 'permanent' }],
    }),
    agent: { spec: { cordoned: true } },
    want: 'FailedForGood',
  },
  { name: 'cordoned', agent: { spec: { cordoned: true, draining: true } }, want: 'AgentCordoned' },
  {
    name: 'draining',
    agent: { spec: { draining: true }, facts: { presence: 'Duplicate' } },
    want: 'AgentDraining',
  },
  { name: 'two processes', agent: { facts: { presence: 'Duplicate' } }, want: 'DuplicateAgent' },
  {
    name: 'offline',
    agent: { facts: { presence: 'Offline' }, status: ill },
    want: 'AgentOffline',
  },
  {
    name: 'not healthy by its own word',
    agent: { facts: failing(5), status: ill },
    want: 'AgentUnhealthy',
  },
  {
    name: 'maintenance in ten minutes, and ten failures',
    agent: { facts: failing(5), spec: { maintenance: [aWindow(600, 7200)] } },
    want: 'Maintenance',
  },
  { name: 'maintenance of the whole pool', pool: { maintenance: [aWindow(-60, 60)] }, want: 'Maintenance' },
  {
    name: 'maintenance much later, and one that is over',
    agent: { spec: { maintenance: [aWindow(7200, 9000), aWindow(-600, 0)] } },
    want: undefined,
  },
  {
    name: 'its breaker is open',
    agent: { facts: failing(5) },
    pool: { minVersion: '1.0.0' },
    want: 'BreakerOpen',
  },
  { name: 'half open and idle: it is tried', agent: { facts: failing(16) }, want: undefined },
  { name: 'half open and on trial', agent: { facts: failing(16, 1) }, want: 'OnTrial' },
  {
    name: 'too old',
    pool: { minVersion: '1.2.0' },
    agent: { status: { version: '1.1.9' }, facts: { load: loaded(32) } },
    want: 'VersionTooOld',
  },
  { name: 'of unknown version', pool: { minVersion: '1.2.0' }, want: 'VersionTooOld' },
  {
    name: 'new enough',
    pool: { minVersion: '1.2.0' },
    agent: { status: { version: '1.2.0' } },
    want: undefined,
  },
];

describe('an agent is passed over for the first of these', () => {
  for (const { name, agent = {}, pool = {}, contract = aContract(), siblings = [], want } of cases)
    test(name, () => {
      const world = { pools: [aPool('europe-script', pool)], agents: [someAgent(1, agent)] };
      const found = refusals(placeIn(world, contract, { now: at(0), siblings }));
      expect(found).toEqual(want === undefined ? [] : [`node-1: ${want}`]);
    });
});

test('who may take it now, and has maintenance soon, is looked at again when it begins nothing any more', () => {
  const agent = someAgent(1, { spec: { maintenance: [aWindow(3600, 7200)] } });
  expect(placeIn({ agents: [agent] }, aContract(), { now: at(0) })).toMatchObject({
    candidates: [{ agent: 'node-1' }],
    againAtMs: at(2700).getTime(),
  });
});
