/** Finite stock: a unit is taken by compare-and-swap on the Offering before a contract is Accepted. */
import type { Offering } from '../../../crds/offering.ts';
import type { Action } from '../facts.ts';

export type StockVerdict =
  | Readonly<{ verdict: 'Accept'; before: readonly Action[] }>
  | Readonly<{ verdict: 'Wait'; reason: 'OutOfStock'; message: string }>;

type Asked = Readonly<{
  uid: string;
  offering: Offering | undefined;
  /** Anew: it had a unit and gave it back, so what a cache still shows as its own proves nothing. */
  mode: 'First' | 'Anew';
}>;

export function judgeStock({ uid, offering, mode }: Asked): StockVerdict {
  const stock = offering?.spec.stock;
  if (stock === undefined) return { verdict: 'Accept', before: [] };
  const reserved = offering?.status?.reserved ?? [];
  const isOwn = reserved.includes(uid);
  if (isOwn && mode === 'First') return { verdict: 'Accept', before: [] };
  if (isOwn || reserved.length < stock) return { verdict: 'Accept', before: [{ type: 'ReserveStock' }] };
  return {
    verdict: 'Wait',
    reason: 'OutOfStock',
    message: soldOut(stock),
  };
}

function soldOut(stock: number): string {
  if (stock === 0) return 'Nothing of this offering is for rent now; it starts when one is';
  return stock === 1
    ? 'The only one of this offering is rented; it starts when that is free'
    : `All ${stock} of this offering are rented; it starts when one is free`;
}
