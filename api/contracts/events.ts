/**
 * The moves of a contract as server-sent events: the id of an event is the number of the move, so a client that
 * was cut off goes on behind the last one it saw (`Last-Event-ID`). The stream ends with the contract.
 *
 *   id: 3
 *   event: Provisioning
 *   data: {"contractId": …, "phase": "Provisioning", "reason": "Claimed", "message": …, "at": …}
 */
import { Readable } from 'node:stream';
import { type Contract, contractIdOf } from '../../crds/contract/contract.ts';
import { hasEnded } from '../../crds/contract/phase.ts';
import { remarkOf } from '../../crds/contract/remark.ts';
import type { HistoryEntry } from '../../crds/contract/status.ts';
import type { Deps } from '../deps.ts';
import { WAKE } from '../wake.ts';
import type { Found } from './find.ts';
import { messageOf } from './present.ts';

const HEARTBEAT_MS = 15_000;

type Following = Readonly<{ found: Found; afterSeq: number; signal: AbortSignal }>;

export const eventStream = (deps: Deps, following: Following): Readable =>
  Readable.from(events(deps, following));

async function* events(deps: Deps, { found, afterSeq, signal }: Following): AsyncGenerator<string> {
  const uid = found.contract.metadata.uid ?? '';
  const keys = [WAKE.contract(uid)];
  let contract: Contract | undefined = found.contract;
  let seq = afterSeq;
  yield 'retry: 2000\n\n';
  while (!signal.aborted) {
    const armed = deps.wakes.arm(keys, { ms: HEARTBEAT_MS, signal });
    const moves = (contract.status?.history ?? []).filter((move) => move.seq > seq);
    for (const move of moves) {
      yield eventOf(deps, { contract, move, isLast: move === moves.at(-1) });
      seq = move.seq;
    }
    const isOver = found.archived || (contract.status !== undefined && hasEnded(contract.status.phase));
    if (isOver) return armed.disarm();
    if (moves.length === 0) yield ': still here\n\n';
    await armed.woken;
    armed.disarm();
    contract = deps.caches.contracts.byUid(uid);
    if (!contract) return; // removed: its last moves are in the archive
  }
}

type Event = Readonly<{ contract: Contract; move: HistoryEntry; isLast: boolean }>;

/** Earlier moves are told by their word; only the newest has a sentence about what is now. */
function eventOf(deps: Deps, { contract, move, isLast }: Event): string {
  const { endpoint, access } = contract.status ?? {};
  const isReachable = isLast && (move.to === 'Provisioned' || move.to === 'Active');
  const remark = contract.status && remarkOf(move, contract.status);
  const data = {
    contractId: contractIdOf(contract.metadata.uid ?? ''),
    seq: move.seq,
    at: move.at,
    from: move.from ?? null,
    phase: move.to,
    reason: move.reason,
    ...(remark || isLast ? { message: remark ?? messageOf(deps, contract) } : {}),
    ...(isReachable && endpoint ? { endpoint, hostKeyFingerprint: access?.hostKeyFingerprint ?? null } : {}),
  };
  return `id: ${move.seq}\nevent: ${move.to}\ndata: ${JSON.stringify(data)}\n\n`;
}
