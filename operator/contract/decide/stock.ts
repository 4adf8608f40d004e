/** Finite stock: a unit is taken by compare-and-swap on the Offering before a contract is Accepted. */
import { refusalOfStock, waitingSentence } from '../../../crds/contract/order.ts';
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
  if (offering?.spec.stock === undefined) return { verdict: 'Accept', before: [] };
  const isOwn = offering.status?.reserved?.includes(uid) ?? false;
  if (isOwn && mode === 'First') return { verdict: 'Accept', before: [] };
  const refusal = refusalOfStock(offering);
  if (isOwn || !refusal) return { verdict: 'Accept', before: [{ type: 'ReserveStock' }] };
  return { verdict: 'Wait', reason: 'OutOfStock', message: waitingSentence(refusal) };
}
