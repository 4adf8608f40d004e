/**
 * Sizes as numbers: what a contract wants, what an agent has, what is promised of it. CPU in thousandths, memory
 * and disk in bytes, GPUs and instances in pieces.
 */
import type { TermsSnapshot } from '../contract/spec.ts';

export type Amounts = Readonly<{
  cpuMilli: number;
  memoryBytes: number;
  storageBytes: number;
  gpus: number;
  instances: number;
}>;
export type Dimension = keyof Amounts;

/** In the order in which a lack of them is told. */
export const DIMENSIONS = [
  'cpuMilli',
  'memoryBytes',
  'storageBytes',
  'gpus',
  'instances',
] as const satisfies Dimension[];

/** Not limited. */
export const NO_END = Number.POSITIVE_INFINITY;

export const NOTHING: Amounts = { cpuMilli: 0, memoryBytes: 0, storageBytes: 0, gpus: 0, instances: 0 };

/** One machine of this size. */
export const amountsOf = (sizes: TermsSnapshot['resources']): Amounts => ({
  cpuMilli: Math.ceil(numberOf(sizes.cpu) * 1000),
  memoryBytes: numberOf(sizes.memory),
  storageBytes: numberOf(sizes.storage),
  gpus: sizes.gpu ?? 0,
  instances: 1,
});

export const plus = (a: Amounts, b: Amounts): Amounts => combine(a, b, 1);
/** Never below zero: a sum that was read a moment later than its parts is no debt. */
export const minus = (a: Amounts, b: Amounts): Amounts => combine(a, b, -1);

const combine = (a: Amounts, b: Amounts, sign: 1 | -1): Amounts => ({
  cpuMilli: Math.max(0, a.cpuMilli + sign * b.cpuMilli),
  memoryBytes: Math.max(0, a.memoryBytes + sign * b.memoryBytes),
  storageBytes: Math.max(0, a.storageBytes + sign * b.storageBytes),
  gpus: Math.max(0, a.gpus + sign * b.gpus),
  instances: Math.max(0, a.instances + sign * b.instances),
});

/**
 * The first dimension in which `wanted` on top of `used` is more than `total`. What is not wanted is never lacking.
 * By name, not in a loop: this runs for every agent of every placement.
 */
export function firstLack({
  total,
  used,
  wanted,
}: Readonly<Record<'total' | 'used' | 'wanted', Amounts>>): Dimension | undefined {
  if (wanted.cpuMilli > 0 && used.cpuMilli + wanted.cpuMilli > total.cpuMilli) return 'cpuMilli';
  if (wanted.memoryBytes > 0 && used.memoryBytes + wanted.memoryBytes > total.memoryBytes)
    return 'memoryBytes';
  if (wanted.storageBytes > 0 && used.storageBytes + wanted.storageBytes > total.storageBytes)
    return 'storageBytes';
  if (wanted.gpus > 0 && used.gpus + wanted.gpus > total.gpus) return 'gpus';
  if (wanted.instances > 0 && used.instances + wanted.instances > total.instances) return 'instances';
  return undefined;
}

/** 0 to 1: the share of `total` that is used in the fullest dimension; one without an end is never full. */
export const fullest = (used: Amounts, total: Amounts): number =>
  Math.min(
    1,
    Math.max(
      shareOf(used.cpuMilli, total.cpuMilli),
      shareOf(used.memoryBytes, total.memoryBytes),
      shareOf(used.storageBytes, total.storageBytes),
      shareOf(used.gpus, total.gpus),
      shareOf(used.instances, total.instances),
    ),
  );

const shareOf = (used: number, total: number): number => (total > 0 ? used / total : 0);

const FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/** A Kubernetes quantity of `crds/fields.ts` as a number; what is none counts as 0. */
export function numberOf(quantity: string): number {
  const match = /^([0-9]+(?:\.[0-9]+)?)([A-Za-z]*)$/.exec(quantity);
  return match ? Number(match[1]) * (FACTORS[match[2] ?? ''] ?? 0) : 0;
}

/** `4 CPU`, `24Gi memory`, `1 GPU`: an amount of one dimension for people. */
export function show(dimension: Dimension, amount: number): string {
  switch (dimension) {
    case 'cpuMilli':
      return `${round(amount / 1000)} CPU`;
    case 'memoryBytes':
      return `${showBytes(amount)} memory`;
    case 'storageBytes':
      return `${showBytes(amount)} disk`;
    case 'gpus':
      return `${amount} GPU`;
    case 'instances':
      return amount === 1 ? '1 machine' : `${amount} machines`;
  }
}

/** All of one machine, e.g. `16 CPU, 64Gi memory, 200Gi disk`; what is 0 is left out. */
export const showAll = (amounts: Amounts): string =>
  DIMENSIONS.filter((dimension) => dimension !== 'instances' && amounts[dimension] > 0)
    .map((dimension) => show(dimension, amounts[dimension]))
    .join(', ');

function showBytes(bytes: number): string {
  if (bytes >= 10 * 2 ** 40) return `${round(bytes / 2 ** 40)}Ti`;
  return bytes >= 2 ** 30 ? `${round(bytes / 2 ** 30)}Gi` : `${round(bytes / 2 ** 20)}Mi`;
}

/** Rounded down to a tenth: what is free is never told larger than it is. */
const round = (value: number): number => Math.floor(value * 10 + 1e-9) / 10;
