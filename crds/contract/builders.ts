/** Legal minimal objects for tests; a case names only what it is about. */
import type { Agent } from '../agent.ts';
import type { AgentPool } from '../agent-pool.ts';
import { API_VERSION, FINALIZER } from '../group.ts';
import type { Offering } from '../offering.ts';
import type { Provider } from '../provider.ts';
import type { LiveContract } from './contract.ts';
import type { ContractPhase } from './phase.ts';
import type { TermsSnapshot } from './spec.ts';
import type { ContractStatus, Holder, Lock } from './status.ts';
import type { Claimant } from './verdict.ts';

export const NOON = new Date('2026-01-01T12:00:00.000Z');
export const at = (seconds: number): Date => new Date(NOON.getTime() + seconds * 1000);

export const CONTRACT_UID = '0b7c9d6e-1111-4222-8333-944445555666';
export const uidOf = (n: number): string => `aaaaaaaa-0000-4000-8000-${String(n).padStart(12, '0')}`;

export const aClaimant = (n: number, session = `session-${n}`): Claimant => ({
  name: `agent-${n}`,
  uid: uidOf(n),
  poolName: 'europe-script',
  session,
});

export const someTerms = (change: Partial<TermsSnapshot> = {}): TermsSnapshot => ({
  offeringUID: uidOf(900),
  title: 'Hello',
  country: 'DE',
  region: 'europe',
  provisionerType: 'script',
  resources: { cpu: '1', memory: '1Gi', storage: '1Gi' },
  price: { amountMinor: 0, currency: 'EUR', per: 'Month' },
  allowRecreation: false,
  ...change,
});

export const aLock = (n: number, change: Partial<Lock> = {}): Lock => ({
  agent: `agent-${n}`,
  agentUID: uidOf(n),
  session: `session-${n}`,
  epoch: 1,
  acquiredAt: NOON.toISOString(),
  renewedAt: NOON.toISOString(),
  expiresAt: at(300).toISOString(),
  ...change,
});

export const aHolder = (n: number, epoch: number): Holder => ({
  agent: `agent-${n}`,
  agentUID: uidOf(n),
  epoch,
});

export function aContract(
  phase: ContractPhase = 'Accepted',
  change: Partial<Omit<ContractStatus, 'phase'>> = {},
  more: { spec?: Partial<LiveContract['spec']>; metadata?: Partial<LiveContract['metadata']> } = {},
): LiveContract {
  return {
    apiVersion: API_VERSION,
    kind: 'Contract',
    metadata: {
      name: 'hello-abcdefghij',
      namespace: 'acme',
      uid: CONTRACT_UID,
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: NOON.toISOString(),
      finalizers: [FINALIZER],
      ...more.metadata,
    },
    spec: {
      offering: { name: 'hello' },
      tenant: { publicKey: '1'.repeat(64) },
      sshPublicKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA test'],
      durationHours: 24,
      powerState: 'Running',
      restart: 0,
      reinstall: 0,
      retry: 0,
      passwordReset: 0,
      termsSnapshot: someTerms(),
      ...more.spec,
    },
    status: { phase, epoch: 0, provisionBy: at(3600).toISOString(), ...change },
  };
}

export const aPool = (name = 'europe-script', spec: Partial<AgentPool['spec']> = {}): AgentPool => ({
  apiVersion: API_VERSION,
  kind: 'AgentPool',
  metadata: { name, namespace: 'acme' },
  spec: {
    location: 'europe',
    provisionerType: 'script',
    priority: 0,
    lockTTLSeconds: 300,
    paused: false,
    ...spec,
  },
});

export const anAgent = (n: number, spec: Partial<Agent['spec']> = {}): Agent => ({
  apiVersion: API_VERSION,
  kind: 'Agent',
  metadata: { name: `agent-${n}`, namespace: 'acme', uid: uidOf(n) },
  spec: {
    publicKey: String(n % 10).repeat(64),
    poolName: 'europe-script',
    permissions: ['heartbeat', 'fetch_contracts', 'provision', 'health_check'],
    cordoned: false,
    draining: false,
    revoked: false,
    ...spec,
  },
});

export const anOffering = (
  spec: Partial<Offering['spec']> = {},
  status: Offering['status'] = {},
): Offering => ({
  apiVersion: API_VERSION,
  kind: 'Offering',
  metadata: { name: 'hello', namespace: 'acme', uid: uidOf(900) },
  spec: {
    title: 'Hello',
    country: 'DE',
    provisionerType: 'script',
    resources: { cpu: '1', memory: '1Gi', storage: '1Gi' },
    price: { amountMinor: 0, currency: 'EUR', per: 'Month' },
    duration: { minHours: 1, maxHours: 720, defaultHours: 24 },
    visibility: 'Public',
    allowRecreation: false,
    ...spec,
  },
  status,
});

export const aProvider = (spec: Partial<Provider['spec']> = {}): Provider => ({
  apiVersion: API_VERSION,
  kind: 'Provider',
  metadata: { name: 'acme' },
  spec: {
    publicKey: '2'.repeat(64),
    displayName: 'Acme',
    namespace: 'acme',
    acceptance: { mode: 'Automatic' },
    ...spec,
  },
});
