/** What a provider has before anybody rents: itself, a pool and an offering, as it would apply them by YAML. */
import type { Clients } from '../../../api/clients.ts';
import { generateKeyPair, type KeyPair } from '../../../lib/signature/keys.ts';

export const POOL = 'pool';
export const OFFERING = 'hello';

/** Answers the provider's key. */
export async function makeSupply(
  { providers, pools, offerings }: Clients,
  { namespace, lockTtlSeconds }: Readonly<{ namespace: string; lockTtlSeconds: number }>,
): Promise<KeyPair> {
  const key = generateKeyPair();
  await providers.create({
    metadata: { name: namespace },
    spec: {
      publicKey: key.publicKey,
      displayName: 'Processes',
      namespace,
      acceptance: { mode: 'Automatic' },
    },
  });
  await pools.create({
    metadata: { namespace, name: POOL },
    spec: {
      ...{ location: 'europe', provisionerType: 'script', lockTTLSeconds: lockTtlSeconds },
      ...{ priority: 0, paused: false },
    },
  });
  await offerings.create({
    metadata: { namespace, name: OFFERING },
    spec: {
      title: 'Hello',
      country: 'DE',
      provisionerType: 'script',
      resources: { cpu: '1', memory: '512Mi', storage: '1Gi' },
      price: { amountMinor: 0, currency: 'EUR', per: 'Month' },
      duration: { minHours: 1, maxHours: 720, defaultHours: 24 },
      visibility: 'Public',
      allowRecreation: false,
    },
  });
  return key;
}

/** Throws until all of so many agents are online. */
export async function expectOnline(
  { agents }: Clients,
  { namespace, count }: Readonly<{ namespace: string; count: number }>,
): Promise<void> {
  const { items } = await agents.list({ namespace });
  const online = items.filter(({ status }) =>
    status?.conditions?.some((condition) => condition.type === 'Online' && condition.status === 'True'),
  );
  if (online.length < count) throw new Error(`${online.length} of ${count} agents are online`);
}
