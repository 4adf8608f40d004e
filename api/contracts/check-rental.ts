/** Whether an offering can be rented as asked: the rule is in `crds/`, which code and which next step are said here. */
import { type Order, type OrderRefusal, refusalOfOrder, refusalOfStock } from '../../crds/contract/order.ts';
import { fieldsOf } from '../../crds/instance-config/check.ts';
import { Problem } from '../../crds/problem.ts';

/**
 * Throws Problem PaymentUnavailable, OutOfStock, OfferingUnavailable, TenantNotAccepted, InstanceConfigInvalid or
 * ValidationFailed: also where a contract by YAML would wait, since who calls can call again.
 */
export function checkRental(order: Order): void {
  const refusal = refusalOfOrder(order) ?? refusalOfStock(order.offering);
  if (refusal) throw toProblem(refusal);
}

function toProblem(refusal: OrderRefusal): Problem {
  const { message } = refusal;
  switch (refusal.reason) {
    case 'OfferingNotReady':
    case 'OfferingPrivate':
      return new Problem('OfferingUnavailable', message, {
        next: 'Choose another one; its provider has to correct it.',
      });
    case 'TenantNotAccepted':
      return new Problem('TenantNotAccepted', message, { next: 'Rent from another provider.' });
    case 'DurationNotAllowed':
      return invalid('durationHours', { message, next: 'Correct durationHours and send it again.' });
    case 'AutoRenewNotAllowed':
      return invalid('autoRenew', { message, next: refusal.next });
    case 'AgreedPriceNotAllowed':
      return invalid('agreedPrice', { message, next: 'Agree to the price of the offering, or to none.' });
    case 'InstanceConfigInvalid':
      return new Problem('InstanceConfigInvalid', message, {
        next: 'Correct instanceConfig and send it again; `instanceConfigSchema` of the offering says what is allowed.',
        extra: { errors: fieldsOf(refusal.config) },
      });
    case 'PaymentUnavailable':
      return new Problem('PaymentUnavailable', message, { next: 'Rent an offering that is free of charge.' });
    case 'OutOfStock':
      return new Problem('OutOfStock', message, { next: 'Try again later, or choose another offering.' });
  }
}

const invalid = (field: string, { message, next }: Readonly<{ message: string; next: string }>): Problem =>
  new Problem('ValidationFailed', message, { next, extra: { errors: [{ field, message }] } });
