/** The stage of a benchmark, and agents on it that speak to the facade as dc-agent does, signed and kept alive. */
import type { Contract } from '../crds/contract/contract.ts';
import { LockResponse } from '../crds/wire/lock.ts';
import { RentResponse } from '../crds/wire/market.ts';
import type { KubeClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/object.ts';
import { eventually } from '../test/world/eventually.ts';
import type { Caller } from '../test/world/facades.ts';
import { resourceOf, type Stage, setStage } from '../test/world/market.ts';
import type { House } from './house.ts';

export type Actor = Readonly<{ caller: Caller; session: string; incarnation: number }>;
export type BenchStage = Stage & Readonly<{ actors: readonly Actor[] }>;

const SSH_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJ1dCB0aGlzIGlzIG9ubHkgYSB0ZXN0IGtleSBvZiBvdXJz bench';

/** A provider with a pool and `agents` agents whose first heartbeat was taken. */
export async function openStage(
  house: House,
  { namespace, agents }: Readonly<{ namespace: string; agents: number }>,
): Promise<BenchStage> {
  await house.makeNamespace(namespace);
  const stage = await setStage(house.client, namespace);
  const actors = Array.from({ length: agents }, (_, index) => ({
    caller: house.callers.caller(),
    session: `session-${index}`,
    incarnation: 1,
  }));
  await stage.addAgents(actors.map(({ caller }) => caller.key));
  await Promise.all(actors.map((actor) => eventually(() => heartbeat(house, { stage, actor }))));
  return { ...stage, actors };
}

type Acting = Readonly<{ stage: Stage; actor: Actor }>;

export async function heartbeat({ facade }: House, { stage, actor }: Acting): Promise<void> {
  const { session, incarnation } = actor;
  const body = { version: '1.0.0', provisionerType: 'script', session, incarnation, activeContracts: 0 };
  const path = `/api/v1/providers/${stage.provider.publicKey}/heartbeat`;
  const answer = await actor.caller.call(facade, { method: 'POST', path, body });
  if (answer.status !== 200) throw new Error(`heartbeat: ${answer.status} ${JSON.stringify(answer.body)}`);
}

/** The epoch that was granted; undefined when another agent was first. Throws on any other answer. */
export async function claim(
  { facade }: House,
  { stage, actor, contractId }: Acting & { contractId: string },
): Promise<number | undefined> {
  const path = `/api/v1/providers/${stage.provider.publicKey}/contracts/${contractId}/lock`;
  const body = { session: actor.session, incarnation: actor.incarnation, observedEpoch: 0 };
  const answer = await actor.caller.call(facade, { method: 'POST', path, body });
  if (answer.status === 409) return undefined;
  if (answer.status !== 200) throw new Error(`claim: ${answer.status} ${JSON.stringify(answer.body)}`);
  return LockResponse.parse(dataOf(answer.body)).epoch;
}

/** Contracts that wait for an agent, exactly as the operator leaves them: it strips managedFields for good. */
export async function addFree(
  stage: Stage,
  { count, prefix }: { count: number; prefix: string },
): Promise<readonly Contract[]> {
  const made = await stage.addWaiting(count, prefix);
  const body = { metadata: { managedFields: [{}] } };
  return Promise.all(made.map(({ metadata }) => stage.contracts.patch(metadata, { type: 'Merge', body })));
}

export async function makeOffering(client: KubeClient, namespace: string): Promise<string> {
  await resourceOf<KubeObject & { spec: object }>(client, 'Offering').create({
    metadata: { name: 'hello', namespace },
    spec: {
      title: 'Hello',
      country: 'DE',
      provisionerType: 'script',
      resources: { cpu: '1', memory: '1Gi', storage: '1Gi' },
      price: { amountMinor: 0, currency: 'EUR', per: 'Month' },
    },
  });
  return `${namespace}/hello`;
}

/** Rents by the public way; answers the contract's id. */
export async function rent({ facade }: House, tenant: Caller, offeringId: string): Promise<string> {
  const body = { offeringId, sshPublicKey: SSH_KEY };
  const answer = await tenant.call(facade, { method: 'POST', path: '/api/v1/contracts', body });
  if (answer.status !== 201) throw new Error(`rent: ${answer.status} ${JSON.stringify(answer.body)}`);
  return RentResponse.parse(dataOf(answer.body)).contractId;
}

/** `data` of an answer; the schema it is parsed with says whether it is what it should be. */
export function dataOf(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'data' in body ? body.data : undefined;
}
