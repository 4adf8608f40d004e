/** A body that is right for every route, so that each change to it is the only thing that is wrong with it. */
import { SSH_KEY } from './harness.ts';

/** Of a contract that does not exist. */
export const ID = 'c'.repeat(32);
const details = {
  externalId: 'vm-1',
  sshPort: 22,
  hostKeyFingerprint: 'SHA256:abcdefghijklmnop',
  verifiedAt: '2026-01-01T00:00:00Z',
};
const maintenance = {
  windows: [{ startsAt: '2027-01-01T00:00:00Z', endsAt: '2027-01-01T02:00:00Z', reason: 'disk swap' }],
};
const session = { session: 'session-1', incarnation: 1 };

/** By method and path; `bad-input.test.ts` fails for a route with a body that is missing here. */
export const BODIES: Readonly<Record<string, unknown>> = {
  'POST /providers/{pk}/pools': { name: 'a pool', location: 'europe', provisionerType: 'script' },
  'PUT /providers/{pk}/pools/{poolId}': {
    displayName: 'a pool',
    paused: false,
    priority: 10,
    fallbackPools: [{ name: 'another', afterSeconds: 60 }],
    lockTTLSeconds: 60,
    strategy: 'Pack',
    instancesPerAgent: 10,
    buildsPerAgent: 2,
    overcommit: { cpuPercent: 200 },
    minVersion: '1.0.0',
    upgrade: { toVersion: '1.1.0', notBefore: '2027-01-01T00:00:00Z' },
  },
  'PUT /providers/{pk}/pools/{poolId}/maintenance': maintenance,
  'PUT /providers/{pk}/agents/{agentKey}/maintenance': maintenance,
  'PATCH /providers/{pk}/agents/{agentKey}/labels': { labels: { disk: 'nvme' } },
  'DELETE /providers/{pk}/agents/{agentKey}': {},
  'POST /providers/{pk}/pools/{poolId}/setup-tokens': { label: 'node', expiresInHours: 24 },
  'POST /agents/setup': { token: `apt_europe_${'0'.repeat(32)}`, agentPubkey: 'a'.repeat(64) },
  'POST /providers/{pk}/agents/{agentKey}/cordon': { reason: 'disk swap' },
  'POST /providers/{pk}/agents/{agentKey}/drain': { reason: 'disk swap' },
  'POST /providers/{pk}/agents/{agentKey}/uncordon': { reason: 'done' },
  'POST /providers/{pk}/heartbeat': {
    version: '1',
    provisionerType: 'script',
    ...session,
    activeContracts: 0,
  },
  'POST /providers/{pk}/contracts/{id}/lock': { ...session, epoch: 1, observedEpoch: 1 },
  'DELETE /providers/{pk}/contracts/{id}/lock': { ...session, epoch: 1, class: 'capacity' },
  'POST /providers/{pk}/contracts/{id}/provisioned': {
    epoch: 1,
    session: 'session-1',
    instanceDetails: details,
  },
  'POST /providers/{pk}/contracts/{id}/failed': { epoch: 1, errorMessage: 'it broke', class: 'transient' },
  'PUT /providers/{pk}/contracts/{id}/terminated': { ...session, epoch: 1 },
  'POST /providers/{pk}/contracts/{id}/health': { status: 'healthy', checkedAt: 1, latencyMs: 1 },
  'POST /providers/{pk}/reconcile': {
    ...session,
    runningInstances: [{ externalId: 'vm-1', contractId: ID, createdAt: '2026-01-01T00:00:00Z' }],
  },
  'POST /providers': { name: 'someone', displayName: 'Someone' },
  'POST /contracts': {
    offeringId: 'a/b',
    sshPublicKey: SSH_KEY,
    durationHours: 1,
    name: 'mine',
    instanceConfig: {},
  },
  'PUT /contracts/{id}/cancel': { note: 'no more' },
  'POST /contracts/{id}/extend': {
    hours: 2,
    price: { amountMinor: 500, currency: 'EUR', per: 'Day' },
    dryRun: true,
  },
  'PUT /contracts/{id}/auto-renew': {
    hours: 24,
    maxHours: 960,
    maxPrice: { amountMinor: 500, currency: 'EUR', per: 'Day' },
  },
  'PUT /contracts/{id}/ssh-keys': { sshPublicKeys: [SSH_KEY] },
  'POST /contracts/{id}/reinstall': { instanceConfig: {} },
  'POST /contracts/{id}/power': { action: 'Stop' },
  'PATCH /contracts/{id}': { name: 'mine', description: 'for me', labels: { env: 'prod' } },
  'PUT /providers/{pk}/contracts/{id}/applied': {
    epoch: 1,
    ...session,
    powerState: 'Running',
    restart: 1,
    passwordReset: 1,
    sealedCredentials: 'A'.repeat(96),
    failed: { wish: 'Restart', mark: '1', isFinal: false, message: 'no answer' },
    instanceDetails: details,
  },
  'POST /provider/rental-requests/{id}/respond': { accept: true, note: 'welcome' },
  'PUT /provider/contracts/{id}/pause': { reason: 'abuse' },
  'PUT /provider/contracts/{id}/cancel': { note: 'closing down' },
  'PUT /provider/settings/auto-accept': { autoAcceptRentals: true },
  'PUT /provider/settings/acceptance': {
    mode: 'Automatic',
    minDurationHours: 1,
    maxDurationHours: 8760,
    allowedTenants: ['a'.repeat(64)],
    blockedTenants: ['b'.repeat(64)],
  },
  'POST /provider/contracts/{id}/retry': { count: 1 },
  'PUT /provider/contracts/{id}/retry': { count: 1 },
  'POST /provider/contracts/{id}/force-release': {
    agentUid: '0b7c9d6e-1111-4222-8333-944445555666',
    epoch: 1,
    reason: 'the host burnt down',
  },
};
