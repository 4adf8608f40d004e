/** Whether an offering can be rented as asked, in the order in which a person would want to hear it. */
import type { z } from 'zod';
import { Problem } from '../../crds/problem.ts';
import type { RentRequest } from '../../crds/wire/market.ts';
import { isInStock, offeringIdOf, type Sold } from '../market/offering-view.ts';

export type Rental = z.infer<typeof RentRequest>;

const INSTANCE_CONFIG_BYTES_MAX = 16 * 1024;

/** Throws Problem PaymentUnavailable, OutOfStock or ValidationFailed. */
export function checkRental(sold: Sold, body: Rental): void {
  const { offering, provider } = sold;
  const { price, duration } = offering.spec;
  const id = offeringIdOf(offering);
  if (price.amountMinor > 0)
    throw new Problem(
      'PaymentUnavailable',
      `${id} costs ${price.amountMinor} minor units of ${price.currency} per ${price.per}, and this server takes no payments yet.`,
      { next: 'Rent an offering that is free of charge.' },
    );
  if (!isInStock(offering))
    throw new Problem('OutOfStock', `${id} is sold out.`, {
      next: 'Try again later, or choose another offering.',
    });
  const longest = Math.min(
    duration.maxHours,
    provider.spec.acceptance.maxDurationHours ?? Number.POSITIVE_INFINITY,
  );
  const hours = body.durationHours ?? duration.defaultHours;
  if (hours < duration.minHours || hours > longest)
    throw invalid(
      'durationHours',
      `is ${hours}; ${id} is rented for ${duration.minHours} to ${longest} hours`,
    );
  if (JSON.stringify(body.instanceConfig ?? {}).length > INSTANCE_CONFIG_BYTES_MAX)
    throw invalid('instanceConfig', `is larger than ${INSTANCE_CONFIG_BYTES_MAX / 1024} KiB`);
}

const invalid = (field: string, message: string): Problem =>
  new Problem('ValidationFailed', `${field}: ${message}`, {
    next: `Correct ${field} and send it again.`,
    extra: { errors: [{ field, message }] },
  });
