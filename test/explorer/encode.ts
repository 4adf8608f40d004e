/**
 * A world as one short canonical text: two worlds with one text go on alike. Messages are a multiset; what a cache
 * has is told by how it differs from what is stored.
 */
import type { Contract } from '../../crds/contract/contract.ts';
import { TTL_SECONDS } from './facade.ts';
import { textOf } from './gist.ts';
import { type AgentProcess, nth, type OperatorProcess, type Pending, type World } from './world.ts';

export function encode(world: World): string {
  const { nowMs } = world;
  const seen = (cached: Contract | undefined, c: number): string =>
    cached === nth(world.contracts, c) ? '=' : textOf(cached, nowMs);
  const operator = ({ caches, marks, pendings }: OperatorProcess): string =>
    caches
      .map((cached, c) => sightOf(world, { cached, mark: nth(marks, c), pending: nth(pendings, c), c }))
      .join(';');
  const process = (it: AgentProcess): string =>
    `${it.isUp}${it.session}${it.isAcknowledged}${it.isDuplicate}${it.inventory}${it.jobs
      .map((job) => textOf(job, nowMs))
      .join(';')}`;
  return [
    ...world.contracts.map((contract) => textOf(contract, nowMs)),
    ...world.operators.map(operator),
    ...world.facade.map(seen),
    ...world.processes.map(process),
    ...world.disks.map((disk) => textOf(disk, nowMs)),
    ...world.hosts.map((host) => textOf(host, nowMs)),
    ...world.leases.map((lease) => textOf(lease, nowMs)),
    ...world.owed.map((debts) => debts.map(({ contractUID, epoch }) => `${contractUID}${epoch}`).join()),
    world.revoked.join(),
    world.drained.join(),
    ...world.network.map((message) => textOf(message, nowMs)).sort(),
    textOf(world.budget, nowMs),
  ].join('|');
}

type Sight = Readonly<{
  cached: Contract | undefined;
  mark: OperatorProcess['marks'][number];
  pending: Pending | undefined;
  c: number;
}>;

/**
 * What an operator decided on an old version is never written, so of that version only what may become a debt
 * counts; and its silence only while it is that of the lock that is there.
 */
function sightOf({ contracts, nowMs, budget }: World, { cached, mark, pending, c }: Sight): string {
  const stored = nth(contracts, c);
  const { phase, epoch, holders, attempts } = cached?.status ?? {};
  const debtors = holders?.map((holder) => `${holder.agent}@${holder.epoch}`).join();
  const ended = attempts && budget.longWait > 0 ? textOf(attempts, nowMs) : '';
  const sight = cached === stored ? '=' : `${phase}${epoch}${debtors}${ended}`;
  const lock = stored?.status?.lock;
  const isMarked = mark && lock && mark.mark === `${lock.epoch}/${lock.renewedAt}`;
  const silence = isMarked ? Math.min(nowMs - mark.sinceMs, TTL_SECONDS * 1000) : '-';
  const doing = pending
    ? `${pending.step}${pending.contract === stored ? '=' : '#'}${textOf(pending.decision, nowMs)}`
    : '';
  return `${sight}${silence}${doing}`;
}

/** 64 bits in two: FNV-1a and a multiplicative one. */
export function hash(text: string): readonly [number, number] {
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ (b >>> 15) ^ code, 0x85ebca6b);
  }
  return [(a ^ (a >>> 13)) >>> 0, (b ^ (b >>> 16)) >>> 0];
}
