/**
 * What a rental that ran had left when its machine went for good: whole hours until its end, begun ones not counted,
 * and what these cost by its terms, in minor units. The hours added last are those that are left. Pure.
 */
import { counted } from '../../lib/counted.ts';
import { costMinor, moneyWords, type PriceValue } from '../price.ts';
import type { LiveContract } from './contract.ts';
import { HOUR_MS } from './numbers.ts';
import type { ContractPhase } from './phase.ts';
import { endMsOf } from './term.ts';

export type Unused = Readonly<{
  ranUntil: string;
  /** Rented in all: ordered, added and renewed. */
  hours: number;
  unusedHours: number;
  /** What the unused hours cost, by currency; nothing that cost nothing. */
  cost: readonly Readonly<{ amountMinor: number; currency: string }>[];
}>;

/** Undefined when it never ran, or still does. */
export function unusedOf(contract: LiveContract): Unused | undefined {
  const { startsAt, pausedAt, pausedMs = 0, history = [] } = contract.status;
  const goneAt = history.findLast(({ from, to }) => from && RUNS.has(from) && !RUNS.has(to))?.at;
  if (!startsAt || !goneAt || RUNS.has(contract.status.phase)) return undefined;
  const endMs = endMsOf(contract, new Date(goneAt));
  if (endMs === undefined) return undefined;
  // Paused when it went: it had stood still since then, and that was credited.
  const ranUntil = pausedAt ?? goneAt;
  const hours = Math.round((endMs - Date.parse(startsAt) - pausedMs) / HOUR_MS);
  const left = Math.floor((endMs - Date.parse(goneAt)) / HOUR_MS);
  const unusedHours = Math.min(hours, Math.max(0, left));
  return { ranUntil, hours, unusedHours, cost: costOf(contract, { hours, unusedHours }) };
}

const RUNS: ReadonlySet<ContractPhase> = new Set(['Active', 'Paused']);

type Left = Readonly<{ hours: number; unusedHours: number }>;

function costOf({ spec, status }: LiveContract, { hours, unusedHours }: Left): Unused['cost'] {
  const added = status.extensions ?? [];
  const ordered = hours - added.reduce((sum, entry) => sum + entry.hours, 0);
  const terms = spec.termsSnapshot;
  const parts: Readonly<{ hours: number; price: PriceValue }>[] = terms
    ? [{ hours: ordered, price: terms.price }, ...added]
    : [];
  const sums = new Map<string, number>();
  let left = unusedHours;
  for (const { hours: most, price } of parts.reverse()) {
    const taken = Math.max(0, Math.min(left, most));
    left -= taken;
    // Hours are charged together: what is left of them is the rest, not a sum that is rounded anew.
    const cost = taken === 0 ? 0 : costMinor(price, most) - costMinor(price, most - taken);
    if (cost > 0) sums.set(price.currency, (sums.get(price.currency) ?? 0) + cost);
  }
  return [...sums].map(([currency, amountMinor]) => ({ currency, amountMinor }));
}

/** For the tenant; nothing is promised that the terms do not say. */
export function unusedWords({ ranUntil, hours, unusedHours, cost }: Unused): string {
  const money = cost.map(({ amountMinor, currency }) => moneyWords(amountMinor, currency)).join(' and ');
  const worth = money ? `, worth ${money} by your terms` : '';
  const left = unusedHours === 0 ? 'less than an hour' : `${unusedHours}`;
  return `It ran until ${ranUntil}; ${left} of its ${counted(hours, 'hour')} ${unusedHours < 2 ? 'was' : 'were'} left${worth}.`;
}
