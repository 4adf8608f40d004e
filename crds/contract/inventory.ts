/**
 * What becomes of each machine that an agent listed. Orders only; an inventory removes nobody: what is not
 * listed is asked to be confirmed with `terminated`. Decide on live objects before an order is answered, and with
 * what PostgreSQL remembers before a machine is called unknown. Source: docs/contract.md, 10.
 */

import { assertNever } from '../../lib/assert.ts';
import type { OwedDestroy } from '../agent.ts';
import type { ListedInstance, ReconcileResponse } from '../wire/reconcile.ts';
import { contractIdOf, type LiveContract, uidOfContractId } from './contract.ts';
import { isHolder } from './move.ts';
import { isEnding } from './phase.ts';
import { judgeUnclaimed, type OlderWorldSign, type Records } from './unclaimed.ts';

export type InventoryFacts = Readonly<{
  agentUID: string;
  installation: string;
  listed: readonly ListedInstance[];
  contractOf: (uid: string) => LiveContract | undefined;
  /** Contracts in which this agent is a holder. */
  heldBy: readonly LiveContract[];
  owed: readonly OwedDestroy[];
  /** An agent of the same provider whose key is refused for good. */
  isRevoked: (agentUID: string) => boolean;
  /** Without it nobody is asked: what has no entry is stopped and never destroyed. */
  recordsOf?: ((contractUID: string) => Records) | undefined;
  /** Whether the listing carries the proof that its epoch was granted to the agent that lists it. */
  isProven?: ((machine: ListedInstance) => boolean) | undefined;
  /** Contracts of which it is not known whether they are there. */
  notLookedFor?: ReadonlySet<string> | undefined;
}>;

type Order =
  | Readonly<{ list: 'keep'; epoch: number; endsAt: number; contractId: string }>
  | Readonly<{ list: 'terminate'; epoch: number; reason: string; contractId: string }>
  | Readonly<{ list: 'pause'; reason: string; contractId: string }>
  | Readonly<{ list: 'adopt'; epoch: number; contractId: string }>
  | Readonly<{ list: 'unknown'; message: string; isContractKnown?: true }>
  | Readonly<{ list: 'undecided'; sign?: OlderWorldSign }>
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
  const undecided: string[] = [];
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
      case 'undecided':
        undecided.push(externalId);
        break;
      case 'none':
        break;
    }
  }
  answer.confirm.push(...toConfirm(facts));
  return undecided.length > 0 ? { ...answer, undecided } : answer;
}

/** Contracts of which PostgreSQL must be asked before the inventory can be judged. */
export function recordsNeeded(facts: InventoryFacts): string[] {
  const asked = new Set<string>();
  const recordsOf = (uid: string): Records => {
    asked.add(uid);
    return 'Unavailable';
  };
  for (const machine of facts.listed) judgeMachine(machine, { ...facts, recordsOf });
  return [...asked];
}

/** What this inventory says against the cluster. */
export const olderWorldSigns = (facts: InventoryFacts): OlderWorldSign[] =>
  facts.listed.flatMap((machine) => {
    const order = judgeMachine(machine, facts);
    return order.list === 'undecided' && order.sign ? [order.sign] : [];
  });

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
  if (uid && facts.notLookedFor?.has(uid)) return { list: 'undecided' };
  const owner = machine.agentUid ?? facts.agentUID;
  if (owner !== facts.agentUID && facts.isRevoked(owner)) return { list: 'adopt', epoch, contractId };
  if (!contract) return judgeWithoutEntry(machine, { facts, contract, uid, epoch });
  if (owner !== facts.agentUID) return { list: 'none' };
  const order = judgeOwn(machine, { contract, contractId, epoch, agentUID: facts.agentUID });
  return order ?? judgeWithoutEntry(machine, { facts, contract, uid, epoch });
}

type Entryless = Readonly<{
  facts: InventoryFacts;
  contract: LiveContract | undefined;
  uid: string | undefined;
  epoch: number;
}>;

function judgeWithoutEntry(machine: ListedInstance, { facts, contract, uid, epoch }: Entryless): Order {
  const contractId = machine.contractId ?? '';
  const { externalId } = machine;
  const agentUID = machine.agentUid ?? facts.agentUID;
  const message = contract
    ? `this agent holds no epoch ${epoch} of contract ${contractId}`
    : `no contract ${contractId || '(untagged)'} is known here`;
  const known = { list: 'unknown', message, isContractKnown: true } as const;
  // What has no tag of ours is only shown: whoever listed it does not touch it.
  if (!facts.recordsOf || !uid || machine.installation === undefined)
    return contract ? known : { list: 'unknown', message };
  const records = facts.recordsOf(uid);
  const isProven = agentUID === facts.agentUID && (facts.isProven?.(machine) ?? false);
  const verdict = judgeUnclaimed({ contract, machine: { epoch, agentUID, externalId }, records, isProven });
  switch (verdict) {
    case 'Undecided':
      return { list: 'undecided' };
    case 'OlderWorld': {
      const sign = { contractUID: uid, epoch, agentUID, externalId, statusEpoch: contract?.status.epoch };
      return { list: 'undecided', sign };
    }
    case 'StopOnly':
      return known;
    case 'Orphan':
      return { list: 'unknown', message };
    default:
      return assertNever(verdict);
  }
}

type Own = Readonly<{ contract: LiveContract; contractId: string; epoch: number; agentUID: string }>;

/** Undefined: the agent has no entry for it. */
function judgeOwn(
  machine: ListedInstance,
  { contract, contractId, epoch, agentUID }: Own,
): Order | undefined {
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
  return undefined;
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
