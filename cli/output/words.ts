/** Values as people say them: times, ages, prices, sizes, short ids. */
import type { Capacity } from '../../crds/capacity.ts';
import { moneyWords } from '../../crds/price.ts';
import type { ContractView, OfferingView } from '../../crds/wire/market.ts';

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
] as const;

/** `90 s` → `1m`; two days and more in days, as `kubectl` does. */
export function durationWords(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  for (const [unit, size] of UNITS) {
    const isEnough = unit === 's' || seconds >= size * (unit === 'd' ? 2 : 1);
    if (isEnough) return `${Math.floor(seconds / size)}${unit}`;
  }
  return '0s';
}

export const ageWords = (at: string | null | undefined, now: Date): string | undefined =>
  at ? durationWords(now.getTime() - Date.parse(at)) : undefined;

/** `2h ago`, `in 29d`, `now`. */
export function whenWords(at: string | null | undefined, now: Date): string | undefined {
  if (!at) return undefined;
  const ms = Date.parse(at) - now.getTime();
  if (Math.abs(ms) < 1000) return 'now';
  return ms > 0 ? `in ${durationWords(ms)}` : `${durationWords(-ms)} ago`;
}

type Price = NonNullable<ContractView['price']>;

/** `5.00 EUR / month`; minor units as the currency has them (JPY has none). */
export function priceWords(price: Price | null): string | undefined {
  if (!price) return undefined;
  if (price.amountMinor === 0) return 'free';
  return `${moneyWords(price.amountMinor, price.currency)} / ${price.per.toLowerCase()}`;
}

export const sizeWords = ({ resources }: Pick<OfferingView, 'resources'>): string =>
  [`${resources.cpu} CPU`, resources.memory, resources.storage, resources.gpu ? `${resources.gpu} GPU` : '']
    .filter((part) => part !== '')
    .join(' ');

/** `71 CPU, 212Gi memory, room for 4`; nothing where nothing is known. */
export const capacityWords = ({ cpu, memory, storage, gpu, instances }: Capacity): string =>
  [
    ...(cpu === undefined ? [] : [`${cpu} CPU`]),
    ...(memory === undefined ? [] : [`${memory} memory`]),
    ...(storage === undefined ? [] : [`${storage} disk`]),
    ...(gpu === undefined ? [] : [`${gpu} GPU`]),
    ...(instances === undefined ? [] : [`room for ${instances}`]),
  ].join(', ');

export const addressWords = (access: ContractView['access']): string | undefined => {
  if (!access?.host) return undefined;
  const host = access.host.includes(':') ? `[${access.host}]` : access.host;
  return access.port ? `${host}:${access.port}` : host;
};

/** Enough of an id to tell contracts apart; every command takes it. */
export const shortId = (contractId: string): string => contractId.slice(0, 8);
