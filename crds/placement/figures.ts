/**
 * How much of an agent, or of a pool, is promised and how much may still be. Free is what the overcommitment of the
 * pool leaves; of a pool only agents count that take work. What an agent does not say has no figure.
 */

import type { Rate } from '../agent-pool.ts';
import type { Capacity } from '../capacity.ts';
import type { Attempt } from '../contract/status.ts';
import { type Amounts, type Dimension, minus, NO_END, NOTHING, numberOf, plus, show } from './amounts.ts';
import { isFaultOfAgent } from './health.ts';
import { awayBecause } from './shut.ts';
import type { PreparedAgent, PreparedPool } from './supply.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

export const freeOf = ({ capacity, load }: Pick<PreparedAgent, 'capacity' | 'load'>): Amounts =>
  minus(capacity, load.used);

/** A dimension that no agent gives a size of has no end. */
export function freeIn({ agents }: Pick<PreparedPool, 'agents'>, now: Date): Amounts {
  const free = agents.filter((agent) => !awayBecause(agent, now.getTime())).map(freeOf);
  const sumOf = (dimension: Dimension): number => {
    const sized = free.map((amounts) => amounts[dimension]).filter((amount) => amount < NO_END);
    return sized.length === 0 && dimension !== 'gpus'
      ? NO_END
      : sized.reduce((sum, amount) => sum + amount, 0);
  };
  return {
    cpuMilli: sumOf('cpuMilli'),
    memoryBytes: sumOf('memoryBytes'),
    storageBytes: sumOf('storageBytes'),
    gpus: sumOf('gpus'),
    instances: sumOf('instances'),
  };
}

export const promisedIn = ({ agents }: Pick<PreparedPool, 'agents'>): Amounts =>
  agents.reduce((sum, { load }) => plus(sum, load.used), NOTHING);

/** As a status has it: Kubernetes quantities; what has no end is left out, and GPUs that nobody has. */
export const presentAmounts = ({
  cpuMilli,
  memoryBytes,
  storageBytes,
  gpus,
  instances,
}: Amounts): Capacity => ({
  ...(cpuMilli < NO_END ? { cpu: `${cpuMilli / 1000}` } : {}),
  ...(memoryBytes < NO_END ? { memory: bytes(memoryBytes) } : {}),
  ...(storageBytes < NO_END ? { storage: bytes(storageBytes) } : {}),
  ...(gpus > 0 && gpus < NO_END ? { gpu: gpus } : {}),
  ...(instances < NO_END ? { instances } : {}),
});

const bytes = (amount: number): string =>
  amount % GIB === 0 ? `${amount / GIB}Gi` : `${Math.floor(amount / MIB)}Mi`;

/** Of a table: `71` and `212Gi`; a dash where nobody says how much there is. */
export const tableText = (amounts: Amounts): Readonly<{ cpu: string; memory: string }> => ({
  cpu: firstWord('cpuMilli', amounts),
  memory: firstWord('memoryBytes', amounts),
});

/** The same of what a status says. */
export const capacityText = ({ cpu, memory }: Capacity): Readonly<{ cpu: string; memory: string }> =>
  tableText({
    ...NOTHING,
    cpuMilli: cpu === undefined ? NO_END : numberOf(cpu) * 1000,
    memoryBytes: memory === undefined ? NO_END : numberOf(memory),
  });

function firstWord(dimension: Dimension, amounts: Amounts): string {
  const amount = amounts[dimension];
  if (amount === NO_END) return '-';
  return amount === 0 ? '0' : (show(dimension, amount).split(' ')[0] ?? '-');
}

/** Attempts that say something of who built; the others were the fault of the order, or were given back. */
export function rateOf(attempts: Iterable<Attempt>): Rate {
  let [succeeded, failed] = [0, 0];
  for (const attempt of attempts)
    if (attempt.outcome === 'Succeeded') succeeded++;
    else if (isFaultOfAgent(attempt)) failed++;
  return { succeeded, failed };
}

/** `98.7%`, rounded down so that 100% is only said when nothing failed; a dash when nothing was tried. */
export function rateText({ succeeded, failed }: Rate): string {
  const tried = succeeded + failed;
  return tried === 0 ? '-' : `${Math.floor((succeeded / tried) * 1000) / 10}%`;
}
