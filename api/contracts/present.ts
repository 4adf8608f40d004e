/** A contract as its tenant sees it: nothing in it names a machine, an agent or a pool of the provider. */
import type { z } from 'zod';
import type { Condition } from '../../crds/condition.ts';
import { type Contract, contractIdOf, isLive } from '../../crds/contract/contract.ts';
import { demandKeys } from '../../crds/contract/eligibility.ts';
import { hoursOf } from '../../crds/contract/extension.ts';
import { hasEnded } from '../../crds/contract/phase.ts';
import { endsAtOf } from '../../crds/contract/term.ts';
import { wishStates } from '../../crds/contract/upkeep.ts';
import { ANNOTATION, TENANT_LABEL_PREFIX } from '../../crds/group.ts';
import type { Provider } from '../../crds/provider.ts';
import type { ContractView } from '../../crds/wire/market.ts';
import { isOnline } from '../agents/online.ts';
import { isReady } from '../auth/identify.ts';
import type { Deps } from '../deps.ts';
import { presentSeller } from '../market/offering-view.ts';
import { tenantMessageOf, waitingViewOf } from '../placement/why.ts';
import { presentExtension } from './added-price.ts';
import { tenantMessage, waitingOn } from './tenant-message.ts';

const CONFIG_VALID = 'InstanceConfigValid';

type Options = Readonly<{ archived: boolean }>;

export function presentContract(deps: Deps, contract: Contract, { archived }: Options): ContractView {
  const { metadata, spec, status } = contract;
  const namespace = metadata.namespace ?? '';
  const terms = spec.termsSnapshot;
  const seller = sellerIn(deps, namespace);
  const waits = waitingOn(contract);
  const endsAt = isLive(contract) ? endsAtOf(contract, deps.clock.now()) : undefined;
  return {
    contractId: contractIdOf(metadata.uid ?? ''),
    name: metadata.name,
    displayName: metadata.annotations?.[ANNOTATION.displayName] ?? null,
    description: metadata.annotations?.[ANNOTATION.description] ?? null,
    labels: tenantLabels(metadata.labels),
    provider: seller ? presentSeller(seller) : { name: namespace, displayName: namespace, pubkey: '' },
    offering: { offeringId: `${namespace}/${spec.offering.name}`, title: terms?.title ?? spec.offering.name },
    phase: status?.phase ?? 'Requested',
    reason: status?.reason ?? null,
    message: messageOf(deps, contract),
    ...(waits ? { waitingOn: waits } : {}),
    conditions: (status?.conditions ?? []).map(presentCondition),
    ...accessOf(contract),
    createdAt: metadata.creationTimestamp ?? '',
    ...(status?.startsAt ? { startsAt: status.startsAt } : {}),
    ...(endsAt ? { endsAt } : {}),
    ...(isBeingTried(contract) ? { provisionBy: status?.provisionBy } : {}),
    ...(status?.graceEndsAt ? { graceEndsAt: status.graceEndsAt } : {}),
    durationHours: hoursOf(contract) ?? null,
    autoRenew: spec.autoRenew ?? null,
    antiAffinity: spec.antiAffinity ?? null,
    powerState: spec.powerState,
    wishes: isLive(contract) ? wishStates(contract) : [],
    price: terms?.price ?? null,
    extension: presentExtension(deps, contract, { archived }),
    paymentStatus: costsNothing(contract) ? 'NotRequired' : 'Pending',
    cancelRequested: spec.cancel?.requested ?? false,
    epoch: status?.epoch ?? 0,
    history: (status?.history ?? []).map(({ at, from, to, reason }) => ({
      at,
      from: from ?? null,
      to,
      reason,
    })),
    archived,
  };
}

/** Its deadline says something until the machine is there. */
const isBeingTried = ({ status }: Contract): boolean =>
  status?.provisionBy !== undefined && (status.phase === 'Accepted' || status.phase === 'Provisioning');

/** Neither the rental nor any hour that was added to it. */
const costsNothing = ({ spec, status }: Contract): boolean =>
  [spec.termsSnapshot?.price, ...(status?.extensions ?? []).map(({ price }) => price)].every(
    (price) => (price?.amountMinor ?? 0) === 0,
  );

/** The labels that the tenant gave it, as it gave them. */
const tenantLabels = (labels: Readonly<Record<string, string>> = {}): Record<string, string> =>
  Object.fromEntries(
    Object.entries(labels)
      .filter(([name]) => name.startsWith(TENANT_LABEL_PREFIX))
      .map(([name, value]) => [name.slice(TENANT_LABEL_PREFIX.length), value]),
  );

/** With all that is only found out when one contract is asked for. */
export function presentContractInFull(deps: Deps, contract: Contract, options: Options): ContractView {
  const view = presentContract(deps, contract, options);
  const waiting = options.archived ? undefined : waitingViewOf(deps, contract);
  return waiting ? { ...view, waiting } : view;
}

export function messageOf(deps: Deps, contract: Contract): string {
  const now = deps.clock.now();
  return tenantMessage(contract, {
    online: () => onlineFor(deps, contract),
    byHand: () => isByHand(deps, contract),
    waiting: tenantMessageOf(deps, contract, now),
    now,
  });
}

const isByHand = (deps: Deps, { metadata, spec }: Contract): boolean =>
  !spec.decision && sellerIn(deps, metadata.namespace ?? '')?.spec.acceptance.mode === 'Manual';

/** Two may claim the namespace; the one that is ready has it. */
function sellerIn(deps: Deps, namespace: string): Provider | undefined {
  const claiming = deps.caches.providers.byNamespace(namespace);
  return claiming.find(isReady) ?? claiming[0];
}

/** Agents that are online in the pools that could build it. */
function onlineFor(deps: Deps, contract: Contract): number {
  const pools = new Map(
    demandKeys(contract)
      .flatMap((key) => deps.caches.pools.supplying(key))
      .map(({ metadata }) => [metadata.name, { namespace: metadata.namespace ?? '', name: metadata.name }]),
  );
  return [...pools.values()].flatMap((pool) =>
    deps.caches.agents.inPool(pool).filter((agent) => isOnline(deps, agent)),
  ).length;
}

type ConditionView = z.infer<typeof ContractView>['conditions'][number];

/** Messages of conditions are the provider's, and the reason says enough; but what a tenant set it has to correct. */
export const presentCondition = (condition: Condition): ConditionView => {
  const { type, status, reason, message, lastTransitionTime } = condition;
  const words = `${type} is ${status}: ${reason.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()}`;
  return { type, status, reason, message: type === CONFIG_VALID ? message : words, lastTransitionTime };
};

/** Only once somebody has seen the machine, and only while it is the tenant's. */
function accessOf({ status }: Contract): Pick<ContractView, 'access'> {
  const access = status?.access;
  if (!access || hasEnded(status.phase) || status.phase === 'Terminating') return {};
  return {
    access: {
      host: access.host ?? null,
      port: access.port ?? null,
      user: access.user ?? null,
      hostKeyFingerprint: access.hostKeyFingerprint ?? null,
      verifiedAt: access.verifiedAt ?? null,
    },
  };
}
