/** What hours cost: whole minor units, never a float. A month is 720 hours. */

import type { z } from 'zod';
import { invariant } from '../lib/assert.ts';
import type { Price } from './offering.ts';

const HOURS_OF = { Hour: 1, Day: 24, Month: 720 } as const satisfies Record<
  z.infer<typeof Price>['per'],
  number
>;

/** Minor units for `hours`, rounded up to a whole one. At most 1e9 × 87,600, which a number holds exactly. */
export function costMinor({ amountMinor, per }: z.infer<typeof Price>, hours: number): number {
  const product = amountMinor * hours;
  invariant(Number.isSafeInteger(product) && product >= 0, 'prices and hours are bounded whole numbers');
  const period = HOURS_OF[per];
  return (product - (product % period)) / period + (product % period > 0 ? 1 : 0);
}
