/** What to build, as an agent reads it: the terms of the contract, never the offering of today. */
import type { AgentPool } from '../../crds/agent-pool.ts';
import { type Contract, contractIdOf } from '../../crds/contract/contract.ts';
import { amountsOf } from '../../crds/placement/amounts.ts';
import type { PendingContract } from '../../crds/wire/work-list.ts';
import type { Deps } from '../deps.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

type Presenting = Readonly<{
  /** Of the agent that builds it, and what is built is of its type; undefined: the first type of the terms. */
  pool: AgentPool | undefined;
  /** That of its recipe. */
  script: string | undefined;
}>;

/** Undefined for a contract whose terms nobody has written yet. */
export function presentPending(
  contract: Contract,
  { pool, script }: Presenting,
): PendingContract | undefined {
  const { metadata, spec, status } = contract;
  const terms = spec.termsSnapshot;
  if (!terms) return undefined;
  const id = contractIdOf(metadata.uid ?? '');
  const offeringId = `${metadata.namespace ?? ''}/${spec.offering.name}`;
  const { provisionerType } = pool?.spec ?? terms;
  const keys = spec.sshPublicKeys.join('\n');
  const cpuCores = Math.max(1, Math.ceil(amountOf(terms.resources.cpu)));
  const memory = `${Math.ceil(amountOf(terms.resources.memory) / MIB)} MB`;
  const storage = `${Math.ceil(amountOf(terms.resources.storage) / GIB)} GB`;
  const provisionerConfig = terms.provisionerConfig && JSON.stringify(terms.provisionerConfig);
  const instanceConfig = spec.instanceConfig && JSON.stringify(spec.instanceConfig);
  return {
    contractId: id,
    offeringId,
    epoch: status?.epoch ?? 0,
    requesterSshPubkey: keys,
    cpuCores,
    memoryAmount: memory,
    storageCapacity: storage,
    provisionerType,
    wanted: amountsOf(terms.resources),
    contract_id: id,
    offering_id: offeringId,
    requester_ssh_pubkey: keys,
    cpu_cores: cpuCores,
    memory_amount: memory,
    storage_capacity: storage,
    provisioner_type: provisionerType,
    ...(provisionerConfig ? { provisionerConfig, provisioner_config: provisionerConfig } : {}),
    ...(instanceConfig ? { instanceConfig, instance_config: instanceConfig } : {}),
    ...(script ? { postProvisionScript: script, post_provision_script: script } : {}),
  };
}

/** The recipe's script, when the contract has one. Recipes are few and small: read live, for what is offered. */
export async function scriptOf(deps: Deps, { metadata, spec }: Contract): Promise<string | undefined> {
  const recipe = spec.termsSnapshot?.recipe;
  if (!recipe) return undefined;
  const found = await deps.clients.recipes.get({ namespace: metadata.namespace, name: recipe.name });
  return found?.spec.script;
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 1024,
  Mi: MIB,
  Gi: GIB,
  Ti: 1024 ** 4,
  Pi: 1024 ** 5,
};

/** A Kubernetes quantity as a number: CPUs, or bytes. */
export function amountOf(quantity: string): number {
  const match = /^([0-9.]+)([A-Za-z]*)$/.exec(quantity);
  return Number(match?.[1] ?? 0) * (UNITS[match?.[2] ?? ''] ?? 1);
}
