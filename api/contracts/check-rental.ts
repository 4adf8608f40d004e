/** Whether an offering can be rented as asked, in the order in which a person would want to hear it. */
import type { z } from 'zod';
import {
  type ConfigRefusal,
  fieldsOf,
  problemOfSchema,
  refusalOfConfig,
} from '../../crds/instance-config/check.ts';
import { Problem } from '../../crds/problem.ts';
import type { RentRequest } from '../../crds/wire/market.ts';
import { isInStock, offeringIdOf, type Sold } from '../market/offering-view.ts';

export type Rental = z.infer<typeof RentRequest>;

/** Throws Problem PaymentUnavailable, OutOfStock, OfferingUnavailable, InstanceConfigInvalid or ValidationFailed. */
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
  const { acceptance } = provider.spec;
  const shortest = Math.max(duration.minHours, acceptance.minDurationHours ?? 0);
  const longest = Math.min(duration.maxHours, acceptance.maxDurationHours ?? Number.POSITIVE_INFINITY);
  const hours = body.durationHours ?? duration.defaultHours;
  if (hours < shortest || hours > longest)
    throw invalid('durationHours', `is ${hours}; ${id} is rented for ${shortest} to ${longest} hours`);
  const { instanceConfigSchema } = offering.spec;
  const problem = instanceConfigSchema && problemOfSchema(instanceConfigSchema);
  if (problem !== undefined)
    throw new Problem('OfferingUnavailable', `instanceConfigSchema of ${id} ${problem}.`, {
      next: 'Choose another one; its provider has to correct it.',
    });
  const refused = refusalOfConfig(body.instanceConfig, instanceConfigSchema);
  if (refused) throw configInvalid(refused);
}

/** The operator says the same of a contract that comes as YAML. */
const configInvalid = (refusal: ConfigRefusal): Problem =>
  new Problem('InstanceConfigInvalid', refusal.message, {
    next: 'Correct instanceConfig and send it again; `instanceConfigSchema` of the offering says what is allowed.',
    extra: { errors: fieldsOf(refusal) },
  });

const invalid = (field: string, message: string): Problem =>
  new Problem('ValidationFailed', `${field}: ${message}`, {
    next: `Correct ${field} and send it again.`,
    extra: { errors: [{ field, message }] },
  });
