/** One legal object of each kind, as a person would write it: the base of what tests break. */
import { API_VERSION } from '../../crds/group.ts';

const TENANT = '03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8';

export type Example = {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
  spec: Record<string, unknown>;
};

const example = (kind: string, name: string, spec: Record<string, unknown>): Example => ({
  apiVersion: API_VERSION,
  kind,
  metadata: { name },
  spec,
});

export const EXAMPLES: Readonly<Record<string, Example>> = {
  Provider: example('Provider', 'acme', { publicKey: TENANT, displayName: 'Acme', namespace: 'acme' }),
  AgentPool: example('AgentPool', 'europe-script', { location: 'europe', provisionerType: 'script' }),
  Agent: example('Agent', 'node-1', { publicKey: TENANT, poolName: 'europe-script' }),
  SetupToken: example('SetupToken', 'st-1', {
    poolName: 'europe-script',
    secretSHA256: TENANT,
    prefix: 'apt_europe_',
    expiresAt: '2030-01-01T00:00:00Z',
  }),
  Recipe: example('Recipe', 'hello', { title: 'Hello', revision: 1, script: 'echo hello' }),
  Offering: example('Offering', 'hello', {
    title: 'Hello',
    country: 'DE',
    provisionerType: 'script',
    resources: { cpu: '1', memory: '1Gi', storage: '1Gi' },
    price: { amountMinor: 0, currency: 'EUR', per: 'Month' },
  }),
  Contract: example('Contract', 'hello-1', {
    offering: { name: 'hello' },
    tenant: { publicKey: TENANT },
    sshPublicKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA me'],
  }),
};
