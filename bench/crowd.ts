/**
 * A control plane of its own with many contracts, brought to rest by an operator: what memory and restarts are
 * measured against. Made once for all benchmarks of a run; seven in ten are Active, two wait, one was cancelled.
 */
import { randomUUID } from 'node:crypto';
import type { Agent } from '../crds/agent.ts';
import { aClaimant, anOffering, aProvider } from '../crds/contract/builders.ts';
import type { Contract, LiveContract } from '../crds/contract/contract.ts';
import { claim } from '../crds/contract/lock.ts';
import { reportProvisioned } from '../crds/contract/report.ts';
import type { ContractStatus } from '../crds/contract/status.ts';
import { activate, end, firstStatus } from '../crds/contract/steps.ts';
import { snapshotTerms } from '../crds/contract/terms.ts';
import { API_VERSION, FINALIZER } from '../crds/group.ts';
import { freePort } from '../dev/processes/ports.ts';
import type { KubeClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/object.ts';
import { systemClock } from '../lib/clock.ts';
import { generateKeyPair } from '../lib/signature/keys.ts';
import { eventually } from '../test/world/eventually.ts';
import { POOL, resourceOf, type Stage, setStage } from '../test/world/market.ts';
import { makeOffering } from './actors.ts';
import { type House, openHouse } from './house.ts';
import { share } from './measure.ts';

export const NAMESPACE = 'crowd';
const AGENTS = 100;
const WRITERS = 16;
const SSH_KEY = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${'A'.repeat(43)} tenant@example.com`;

/** An empty house for a crowd, of the same run. Closed with `house`. */
export async function openEmptyHouse(house: House): Promise<House> {
  const own = await openHouse(house.signal);
  house.atClose(own.close);
  await own.facade.process.stop(); // each benchmark starts what it measures
  return own;
}

/** Writes `count` contracts and their stage, and lets an operator finish with all of them. */
export async function fill(house: House, count: number): Promise<void> {
  await house.makeNamespace(NAMESPACE);
  const stage = await setStage(house.client, NAMESPACE);
  const agents = await stage.addAgents(Array.from({ length: AGENTS }, generateKeyPair));
  await makeOffering(house.client, NAMESPACE);
  await populate(house, { stage, agents, from: 0, to: count });
  const port = await freePort();
  const operator = await house.startOperator({ METRICS_PORT: String(port) });
  const url = `http://127.0.0.1:${port}`;
  await eventually(() => expectAtRest(url, count), { withinMs: 900_000, everyMs: 1000 });
  await operator.stop();
}

type Crowd = Readonly<{ stage: Stage; agents: readonly Agent[]; from: number; to: number }>;

/** Contracts of the namespace of the stage, with those numbers, shared out among the agents. */
export async function populate(house: House, { stage, agents, from, to }: Crowd): Promise<void> {
  const writer = house.client.fork({ connectionsMax: WRITERS });
  const definition = await openDefinition(writer);
  const contracts = writer.resource<Contract>(stage.contracts.type);
  const { namespace } = stage;
  await eventually(() => expectStatusKept(contracts, namespace), { withinMs: 30_000 });
  const numbers = Array.from({ length: to - from }, (_, index) => from + index);
  await share(numbers, {
    size: WRITERS,
    each: (index) => {
      const { uid = '', name } = agents[index % agents.length]?.metadata ?? { name: '' };
      return contracts.create(draft(index, { uid, name, namespace }));
    },
  });
  await definition.close();
  await writer.close();
}

/**
 * The API server takes a status with the object, and any status: a contract that is Active cannot be made in one
 * write otherwise, and four would take minutes. `close` brings the real definition back.
 */
async function openDefinition(client: KubeClient): Promise<{ close: () => Promise<void> }> {
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/contracts.dcmarket.io';
  const read = async (): Promise<Definition> =>
    (await client.raw({ method: 'GET', path })).body as Definition; // the API server's own kind
  const original = await read();
  const open = JSON.parse(
    JSON.stringify(original.spec, (key, value: unknown) =>
      key === 'x-kubernetes-validations' ? undefined : value,
    ),
  ) as Definition['spec']; // a copy of the same
  for (const version of open.versions) delete version.subresources;
  const put = async (spec: Definition['spec']): Promise<void> => {
    await client.raw({ method: 'PUT', path, body: { ...(await read()), spec } });
  };
  await put(open);
  return { close: () => put(original.spec) };
}

type Definition = KubeObject & { spec: { versions: { subresources?: unknown }[] } };

async function expectStatusKept(contracts: Stage['contracts'], namespace: string): Promise<void> {
  const made = await contracts.create({
    ...draft(0, { uid: aClaimant(0).uid, name: 'agent-0', namespace }),
    metadata: { name: `trial-${randomUUID()}`, namespace },
  });
  await contracts.delete(made.metadata);
  if (!made.status) throw new Error('the definition of contracts is not changed yet');
}

type Drafted = Readonly<{ uid: string; name: string; namespace: string }>;

function draft(index: number, { namespace, ...agent }: Drafted): Contract {
  const terms = snapshotTerms(anOffering(), { provider: aProvider() });
  const contract = {
    apiVersion: API_VERSION,
    kind: 'Contract',
    metadata: {
      name: `hello-${String(index).padStart(6, '0')}`,
      namespace,
      finalizers: [FINALIZER],
    },
    spec: {
      offering: { name: 'hello' },
      tenant: { publicKey: String(index % 500).padStart(64, 'a') },
      sshPublicKeys: [SSH_KEY],
      durationHours: 720,
      termsSnapshot: terms,
    },
  } as unknown as Contract; // the rest has defaults
  return { ...contract, status: statusOf(contract, { index, agent }) };
}

/** By the very rules that would have brought it there. */
function statusOf(
  contract: Contract,
  { index, agent }: { index: number; agent: { uid: string; name: string } },
): ContractStatus {
  const now = systemClock.now();
  const reason = 'AwaitingAgent';
  const first = firstStatus({ to: 'Accepted', reason, message: 'Waiting for an agent', now });
  const accepted: ContractStatus = {
    ...first,
    provisionBy: new Date(now.getTime() + 86_400_000).toISOString(),
  };
  if (index % 10 === 9)
    return end(accepted, { to: 'Cancelled', reason: 'Cancelled', message: 'Cancelled by its tenant', now });
  if (index % 10 >= 7) return accepted;
  const claimant = { ...agent, poolName: POOL, session: 'session-0' };
  const at = (status: ContractStatus): LiveContract => ({ ...contract, status });
  const facts = { agent: claimant, observedEpoch: 0, ttlSeconds: 300, now };
  const claimed = claim(at(accepted), { ...facts, eligible: { eligible: true } });
  if (claimed.outcome !== 'Write') throw new Error(`not granted: ${JSON.stringify(claimed)}`);
  const details = {
    externalId: `dc-${index}`,
    ipAddress: '192.0.2.10',
    sshPort: 22,
    sshUser: 'tenant',
    hostKeyFingerprint: `SHA256:${'A'.repeat(43)}`,
    verifiedAt: now.toISOString(),
  };
  const reported = reportProvisioned(at(claimed.status), { agent: claimant, epoch: 1, details, now });
  if (reported.outcome !== 'Write') throw new Error(`not taken: ${JSON.stringify(reported)}`);
  const said = { reason: 'Reachable', message: 'Reachable at 192.0.2.10:22', now, durationHours: 720 };
  return activate(reported.status, said);
}

/** Every contract was reconciled, and for a while nothing is any more. */
async function expectAtRest(url: string, count: number): Promise<void> {
  const before = await reconcilesOf(url);
  await systemClock.sleep(6000);
  const after = await reconcilesOf(url);
  if (before.contract < count || after.all > before.all)
    throw new Error(`the operator is busy: ${after.contract} of ${count}, ${after.all - before.all} in 6 s`);
}

/** How many reconciles an operator has finished, by its metrics. */
export async function reconcilesOf(url: string): Promise<Readonly<{ contract: number; all: number }>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.matchAll(/^controller_runtime_reconcile_total\{controller="(\w+)",[^}]*\} (\d+)$/gm);
  const counts = [...lines].map(([, controller, value]) => ({ controller, value: Number(value) }));
  const sum = (some: typeof counts): number => some.reduce((total, { value }) => total + value, 0);
  return { contract: sum(counts.filter(({ controller }) => controller === 'contract')), all: sum(counts) };
}

export type Versions = ReadonlyMap<string, string>;

const KINDS = ['Contract', 'Offering', 'Agent', 'AgentPool', 'Provider'] as const;

/** The resourceVersion of every object that an operator might write, by uid. */
export async function versionsOf(house: House): Promise<Versions> {
  const versions = new Map<string, string>();
  const client = house.client.fork({ requestTimeoutMs: 180_000 }); // the machine may be busy with others
  for (const kind of KINDS) {
    const resource = resourceOf<KubeObject>(client, kind);
    let next: string | undefined;
    do {
      const page = await resource.list({ limit: 500, continue: next });
      for (const { metadata } of page.items) versions.set(metadata.uid ?? '', metadata.resourceVersion ?? '');
      next = page.continue;
    } while (next !== undefined);
  }
  await client.close();
  return versions;
}

export const writesBetween = (before: Versions, after: Versions): number =>
  [...after].filter(([uid, version]) => before.get(uid) !== version).length;
