/**
 * A world as one short canonical text: two worlds with one text go on alike. Messages are a multiset; what a cache
 * has is told by how it differs from what is stored.
 */
import type { Contract } from '../../crds/contract/contract.ts';
import { TTL_SECONDS } from './facade.ts';
import { textOf } from './gist.ts';
import { type AgentProcess, nth, type OperatorProcess, type Pending, type World } from './world.ts';

/** A part of the text, and what of a world it is made of: a move that leaves that as it is leaves the part as it is. */
type Part = Readonly<{ reads: readonly (keyof World)[]; write: (world: World) => string }>;

const PARTS: readonly Part[] = [
  {
    reads: ['contracts'],
    write: ({ contracts, nowMs }) => contracts.map((contract) => textOf(contract, nowMs)).join('|'),
  },
  {
    reads: ['contracts', 'operators', 'budget'],
    write: (world) => world.operators.map((operator) => operatorOf(world, operator)).join('|'),
  },
  { reads: ['contracts', 'facade'], write: facadeOf },
  {
    reads: ['processes'],
    write: ({ processes, nowMs }) => processes.map((process) => processOf(process, nowMs)).join('|'),
  },
  { reads: ['disks'], write: ({ disks, nowMs }) => disks.map((disk) => textOf(disk, nowMs)).join('|') },
  { reads: ['hosts'], write: ({ hosts, nowMs }) => hosts.map((host) => textOf(host, nowMs)).join('|') },
  { reads: ['leases'], write: ({ leases, nowMs }) => leases.map((lease) => textOf(lease, nowMs)).join('|') },
  {
    reads: ['owed', 'revoked', 'drained'],
    write: ({ owed, revoked, drained }) =>
      `${owed.map((debts) => debts.map(({ contractUID, epoch }) => `${contractUID}${epoch}`).join()).join('|')}|${revoked.join()}|${drained.join()}`,
  },
  {
    reads: ['network'],
    write: ({ network, nowMs }) =>
      network
        .map((message) => textOf(message, nowMs))
        .sort()
        .join('|'),
  },
  { reads: ['budget'], write: ({ budget, nowMs }) => textOf(budget, nowMs) },
];

/** The text in parts. */
export type Encoded = Readonly<{ world: World; parts: readonly string[] }>;

/** `from`: the world that a move led from, of which parts are taken over. Instants are told from now, so not over time. */
export function encode(world: World, from?: Encoded): Encoded {
  const known = from?.world.nowMs === world.nowMs ? from : undefined;
  const parts = PARTS.map(({ reads, write }, index) => {
    const isSame = known && reads.every((field) => known.world[field] === world[field]);
    return isSame ? (known.parts[index] ?? '') : write(world);
  });
  return { world, parts };
}

const operatorOf = (world: World, { caches, marks, pendings }: OperatorProcess): string =>
  caches
    .map((cached, c) => sightOf(world, { cached, mark: nth(marks, c), pending: nth(pendings, c), c }))
    .join(';');

function facadeOf({ facade, contracts, nowMs }: World): string {
  return facade.map((cached, c) => (cached === nth(contracts, c) ? '=' : textOf(cached, nowMs))).join('|');
}

const processOf = (it: AgentProcess, nowMs: number): string =>
  `${it.isUp}${it.session}${it.isAcknowledged}${it.isDuplicate}${it.inventory}${it.jobs
    .map((job) => textOf(job, nowMs))
    .join(';')}`;

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

/** Of the whole text, 64 bits in two: FNV-1a and a multiplicative one. A part ends like a line. */
export function hash({ parts }: Encoded): readonly [number, number] {
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  for (const text of parts)
    for (let at = 0; at <= text.length; at++) {
      const code = at < text.length ? text.charCodeAt(at) : 10;
      a = Math.imul(a ^ code, 0x01000193);
      b = Math.imul(b ^ (b >>> 15) ^ code, 0x85ebca6b);
    }
  return [(a ^ (a >>> 13)) >>> 0, (b ^ (b >>> 16)) >>> 0];
}
