/** What one plan rents from: a pool, an offering and agents of its own, all named with its prefix. */
import { LABEL, labelOfKey } from '../../../crds/group.ts';
import { generateKeyPair } from '../../../lib/signature/keys.ts';
import { eventually } from '../../world/eventually.ts';
import type { Treat } from '../ledger/behaviour.ts';
import { createAgent, type TestAgent } from './agents.ts';
import type { Stage } from './stage.ts';

export type Supply = Readonly<{
  offeringId: string;
  agents: readonly TestAgent[];
  /** `HOST/NAME` of the machines of somebody else, one beside each agent's. */
  strangers: readonly string[];
}>;

/** Hurried: four real seconds. */
const LOCK_TTL_SECONDS = 40;

export async function addSupply(
  stage: Stage,
  { prefix, agents, treat }: Readonly<{ prefix: string; agents: number; treat: Treat }>,
): Promise<Supply> {
  const { clients, namespace, ledger } = stage;
  const pool = `${prefix}-pool`;
  await clients.pools.create({
    metadata: { namespace, name: pool },
    spec: {
      location: 'europe',
      provisionerType: 'script',
      priority: 0,
      lockTTLSeconds: LOCK_TTL_SECONDS,
      paused: false,
    },
  });
  const name = `${prefix}-box`;
  await clients.offerings.create({
    metadata: { namespace, name },
    spec: {
      title: 'Box',
      country: 'DE',
      poolName: pool,
      provisionerType: 'script',
      resources: { cpu: '1', memory: '1Gi', storage: '1Gi' },
      price: { amountMinor: 0, currency: 'EUR', per: 'Month' },
      duration: { minHours: 1, maxHours: 8760, defaultHours: 720 },
      visibility: 'Public',
      allowRecreation: false,
    },
  });
  const made = await Promise.all(
    Array.from({ length: agents }, (_, n) => addAgent(stage, { name: `${prefix}-a${n}`, pool, treat })),
  );
  const strangers = made.map((agent) => {
    ledger.addStranger(agent.name, 'somebody-elses-vm');
    return `${agent.name}/somebody-elses-vm`;
  });
  await eventually(async () => {
    const { status } = (await clients.offerings.get({ namespace, name })) ?? {};
    if (!status) throw new Error('the operator has not seen the offering');
  });
  return { offeringId: `${namespace}/${name}`, agents: made, strangers };
}

type Wanted = Readonly<{ name: string; pool: string; treat: Treat }>;

async function addAgent(stage: Stage, { name, pool, treat }: Wanted): Promise<TestAgent> {
  const { clients, namespace, clock, proxy, provider, installation, ledger } = stage;
  const key = generateKeyPair();
  const { metadata } = await clients.agents.create({
    metadata: {
      namespace,
      name,
      labels: { [LABEL.agentKey]: labelOfKey(key.publicKey), [LABEL.pool]: pool },
    },
    spec: {
      publicKey: key.publicKey,
      poolName: pool,
      label: name,
      permissions: ['heartbeat', 'fetch_contracts', 'provision', 'health_check'],
      cordoned: false,
      draining: false,
      revoked: false,
    },
  });
  const identity = { name, uid: metadata.uid ?? '', key };
  const about = { clock, apiUrl: proxy.url, providerKey: provider.publicKey, installation, ledger, treat };
  return createAgent({ ...about, ...identity });
}
