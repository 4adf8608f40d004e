/**
 * Whether an order can be accepted as it is. One function and one order of questions for the API, which refuses with
 * it, and the operator, which rejects a contract that came as YAML, or lets it wait for what may still change. Same
 * facts, same sentence; only what follows it differs. Lists of tenants are never named to anybody. Pure.
 */
import { counted, wasOrWere } from '../../lib/counted.ts';
import { type ConfigRefusal, problemOfSchema, refusalOfConfig } from '../instance-config/check.ts';
import type { Offering } from '../offering.ts';
import { priceSentence } from '../price.ts';
import type { Provider } from '../provider.ts';
import { refusalOfAgreedPrice } from './agreed-price.ts';
import type { Ordered } from './contract.ts';
import { refusalOfRenewal } from './renewal-limit.ts';
import { longestOf, shortestOf } from './terms.ts';

export type OrderRefusal = Readonly<
  { message: string } & (
    | { reason: 'OfferingPrivate' | 'TenantNotAccepted' | 'DurationNotAllowed' }
    | { reason: 'AutoRenewNotAllowed'; next: string }
    | { reason: 'AgreedPriceNotAllowed' }
    | { reason: 'InstanceConfigInvalid'; config: ConfigRefusal }
    /** `until`: how the sentence goes on where it is waited for. */
    | { reason: 'PaymentUnavailable' | 'OutOfStock'; until: string }
    | { reason: 'OfferingNotReady' }
  )
>;

export type Order = Readonly<{
  /** With the terms that it would get, once there are any. */
  contract: Ordered;
  offering: Offering;
  provider: Provider;
}>;

/** In the order in which a person would ask; stock comes last, since a provider may decide before. */
export function refusalOfOrder(order: Order): OrderRefusal | undefined {
  const { contract, offering } = order;
  const { spec, status } = contract;
  if (!spec.termsSnapshot) return { reason: 'OfferingNotReady', message: whyNotReady(offering) };
  if (offering.spec.visibility === 'Private')
    return { reason: 'OfferingPrivate', message: `Offering ${offering.metadata.name} cannot be rented` };
  const ruled = refusalByRules(order);
  if (ruled) return ruled;
  const durationHours = hoursOf(order);
  const vain = refusalOfRenewal({ spec: { ...spec, durationHours }, status });
  if (vain) return { reason: 'AutoRenewNotAllowed', ...vain };
  const unpriced = refusalOfAgreedPrice(spec);
  if (unpriced !== undefined) return { reason: 'AgreedPriceNotAllowed', message: unpriced };
  const config = refusalOfConfig(spec.instanceConfig, spec.termsSnapshot.instanceConfigSchema);
  if (config) return { reason: 'InstanceConfigInvalid', message: config.message, config };
  return refusalOfPrice(order);
}

/** Undefined while a unit is free, and where nobody counts them. */
export function refusalOfStock({ spec, status }: Offering): OrderRefusal | undefined {
  const { stock } = spec;
  if (stock === undefined || (status?.reserved?.length ?? 0) < stock) return undefined;
  const [message, until] = soldOut(stock);
  return { reason: 'OutOfStock', message, until };
}

/** What a contract says that waits for it. */
export const waitingSentence = (refusal: OrderRefusal): string =>
  'until' in refusal ? `${refusal.message}; ${refusal.until}` : refusal.message;

/** What the provider wants of every rental. */
function refusalByRules(order: Order): OrderRefusal | undefined {
  const { contract, offering, provider } = order;
  const { allowedTenants, blockedTenants } = provider.spec.acceptance;
  const { publicKey } = contract.spec.tenant;
  const isAllowed = !allowedTenants || allowedTenants.length === 0 || allowedTenants.includes(publicKey);
  if (!isAllowed || blockedTenants?.includes(publicKey))
    return { reason: 'TenantNotAccepted', message: 'The provider does not rent to this tenant' };
  const hours = hoursOf(order);
  const least = shortestOf(offering, provider);
  const most = longestOf(offering, provider);
  if (hours >= least && hours <= most) return undefined;
  const allowed = least === most ? `${most} ${most === 1 ? 'is' : 'are'}` : `${least} to ${most} are`;
  const message = `${counted(hours, 'hour')} ${wasOrWere(hours)} asked for; ${allowed} allowed`;
  return { reason: 'DurationNotAllowed', message };
}

/** Both prices: the terms are what was agreed, the offering is what nobody but the provider can write. */
function refusalOfPrice({ contract, offering }: Order): OrderRefusal | undefined {
  const prices = [contract.spec.termsSnapshot?.price, offering.spec.price];
  const price = prices.find((one) => one !== undefined && one.amountMinor > 0);
  if (!price) return undefined;
  const message = `It costs ${priceSentence(price)}, and payments are not available yet`;
  return { reason: 'PaymentUnavailable', message, until: 'it starts when they are' };
}

const hoursOf = ({ contract, offering }: Order): number =>
  contract.spec.durationHours ?? offering.spec.duration.defaultHours;

function whyNotReady({ metadata, spec }: Offering): string {
  const { instanceConfigSchema, recipe } = spec;
  const problem = instanceConfigSchema && problemOfSchema(instanceConfigSchema);
  return problem === undefined
    ? `Offering ${metadata.name} waits for its recipe ${recipe?.name ?? ''}`
    : `instanceConfigSchema of offering ${metadata.name} ${problem}`;
}

function soldOut(stock: number): readonly [message: string, until: string] {
  if (stock === 0) return ['Nothing of this offering is for rent now', 'it starts when something is'];
  return stock === 1
    ? ['The only one of this offering is rented', 'it starts when that is free']
    : [`All ${stock} of this offering are rented`, 'it starts when one is free'];
}
