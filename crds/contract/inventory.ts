/**
 * What becomes of each machine that an agent listed. Orders only; an inventory removes nobody: what is not
 * listed is asked to be confirmed with `terminated`. Decide on live objects before an order is answered.
 * Source: docs/contract.md, 10.
 */
import type { OwedDestroy } from '../agent.ts';
import type { ListedInstance, ReconcileResponse } from '../wire/work.ts';
import { contractIdOf, type LiveContract, uidOfContractId } from './contract.ts';
import { isHolder } from './move.ts';
import { isEnding } from './phase.ts';

export type InventoryFacts = Readonly<{
  agentUID: string;
  installation: string;
  listed: readonly ListedInstance[];
  contractOf: (uid: string) => LiveContract | undefined;
  /** Contracts in which this agent is a holder. */
  heldBy: readonly LiveContract[];
  owed: readonly OwedDestroy[];
  isRevoked: (agentUID: string) => boolean;
}>;

type Order =
  | Readonly<{ list: 'keep'; epoch: number; endsAt: number; contractId: string }>
  | Readonly<{ list: 'terminate'; epoch: number; reason: string; contractId: string }>
  | Readonly<{ list: 'pause'; reason: string; contractId: string }>
  | Readonly<{ list: 'adopt'; epoch: number; contractId: string }>
  | Readonly<{ list: 'unknown'; message: string; isContractKnown?: true }>
  | Readonly<{ list: 'none' }>;

export function judgeInventory(facts: InventoryFacts): ReconcileResponse {
  const answer: ReconcileResponse = {
    keep: [],
    terminate: [],
    unknown: [],
    pause: [],
    adopt: [],
    confirm: [],
  };
  for (const machine of facts.listed) {
    const order = judgeMachine(machine, facts);
    const { externalId } = machine;
    switch (order.list) {
      case 'keep':
        answer.keep.push({
          externalId,
          contractId: order.contractId,
          epoch: order.epoch,
          endsAt: order.endsAt,
        });
        break;
      case 'terminate':
        answer.terminate.push({
          externalId,
          contractId: order.contractId,
          epoch: order.epoch,
          reason: order.reason,
        });
        break;
      case 'pause':
        answer.pause.push({ externalId, contractId: order.contractId, reason: order.reason });
        break;
      case 'adopt':
        answer.adopt.push({ externalId, contractId: order.contractId, epoch: order.epoch });
        break;
      case 'unknown':
        answer.unknown.push({
          externalId,
          message: order.message,
          ...(order.isContractKnown && { isContractKnown: true }),
        });
        break;
      case 'none':
        break;
    }
  }
  answer.confirm.push(...toConfirm(facts));
  return answer;
}

function judgeMachine(machine: ListedInstance, facts: InventoryFacts): Order {
  // Another installation's machine is none of our business.
  if (machine.installation !== undefined && machine.installation !== facts.installation)
    return { list: 'none' };
  const contractId = machine.contractId ?? '';
  const uid = uidOfContractId(contractId);
  const contract = uid ? facts.contractOf(uid) : undefined;
  const epoch = machine.epoch ?? impliedEpoch(machine, { contract, agentUID: facts.agentUID });
  if (uid && facts.owed.some((debt) => debt.contractUID === uid && debt.epoch === epoch))
    return { list: 'terminate', reason: 'Owed', contractId, epoch };
  if (!contract)
    return { list: 'unknown', message: `no contract ${contractId || '(untagged)'} is known here` };
  const owner = machine.agentUid ?? facts.agentUID;
  if (owner !== facts.agentUID)
    return facts.isRevoked(owner) ? { list: 'adopt', epoch, contractId } : { list: 'none' };
  return judgeOwn(machine, { contract, contractId, epoch, agentUID: facts.agentUID });
}

type Own = Readonly<{ contract: LiveContract; contractId: string; epoch: number; agentUID: string }>;

function judgeOwn(machine: ListedInstance, { contract, contractId, epoch, agentUID }: Own): Order {
  const { status } = contract;
  const { instance } = status;
  const isInstance =
    instance?.agentUID === agentUID && instance.epoch === epoch && instance.externalId === machine.externalId;
  if (isInstance && (status.phase === 'Provisioned' || status.phase === 'Active'))
    return {
      list: 'keep',
      epoch,
      contractId,
      endsAt: status.endsAt ? Date.parse(status.endsAt) * 1_000_000 : 0,
    };
  if (isInstance && status.phase === 'Paused')
    return { list: 'pause', contractId, reason: contract.spec.pause?.reason ?? 'Paused' };
  const holder = isHolder(status, { agentUID, epoch });
  if (holder && isEnding(status.phase))
    return { list: 'terminate', reason: status.reason ?? status.phase, contractId, epoch };
  if (holder && epoch < status.epoch) return { list: 'terminate', reason: 'Superseded', contractId, epoch };
  if (holder && (status.phase === 'Accepted' || status.phase === 'Provisioning')) return { list: 'none' };
  if (holder)
    return {
      list: 'unknown',
      message: `contract ${contractId} runs on machine ${instance?.externalId ?? 'unknown'}, not on this one`,
      isContractKnown: true,
    };
  const message = `this agent holds no epoch ${epoch} of contract ${contractId}`;
  return { list: 'unknown', message, isContractKnown: true };
}

/** Entries of this agent that are not in the listing and whose absence may now be confirmed. */
function toConfirm({ agentUID, listed, heldBy, owed }: InventoryFacts): ReconcileResponse['confirm'] {
  const isListed = (contractId: string, epoch: number): boolean =>
    listed.some(
      (machine) =>
        machine.contractId === contractId && (machine.epoch === undefined || machine.epoch === epoch),
    );
  const held = heldBy.flatMap(({ metadata, status }) =>
    (status.holders ?? [])
      .filter(
        (entry) => entry.agentUID === agentUID && (isEnding(status.phase) || entry.epoch < status.epoch),
      )
      .map(({ epoch }) => ({ contractId: contractIdOf(metadata.uid ?? ''), epoch })),
  );
  const debts = owed.map(({ contractUID, epoch }) => ({ contractId: contractIdOf(contractUID), epoch }));
  return [...held, ...debts].filter(({ contractId, epoch }) => !isListed(contractId, epoch));
}

/** Machines of the reference agent carry no epoch: the instance's when the name fits, else the latest grant. */
function impliedEpoch(
  machine: ListedInstance,
  { contract, agentUID }: Readonly<{ contract: LiveContract | undefined; agentUID: string }>,
): number {
  const status = contract?.status;
  if (!status) return 0;
  if (status.instance?.externalId === machine.externalId) return status.instance.epoch;
  const own = (status.holders ?? []).filter((entry) => entry.agentUID === agentUID);
  return Math.max(0, ...own.map((entry) => entry.epoch));
}
