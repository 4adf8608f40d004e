/**
 * Renting: the same request always meets the same contract. Its name is derived from tenant and idempotency key,
 * the key is kept in PostgreSQL with a hash of the body, and both are on the object itself. While PostgreSQL is
 * down a request that meets no live contract is refused rather than answered with a second machine.
 */
import type { z } from 'zod';
import type { Contract } from '../../crds/contract/contract.ts';
import type { ContractSpec } from '../../crds/contract/spec.ts';
import { snapshotTerms } from '../../crds/contract/terms.ts';
import { ANNOTATION, LABEL, labelOfKey } from '../../crds/group.ts';
import { Problem } from '../../crds/problem.ts';
import type { RentRequest } from '../../crds/wire/market.ts';
import { isAlreadyExists } from '../../kube/error.ts';
import type { Deps } from '../deps.ts';
import { findOffering, type Sold } from '../market/offering-view.ts';
import { base32Of } from '../names.ts';
import { untilCached, WAKE } from '../wake.ts';
import { checkRental } from './check-rental.ts';
import type { Found } from './find.ts';
import { canonical, keyReused, sha256 } from './once.ts';

type Rental = z.infer<typeof RentRequest>;
type Order = Readonly<{ tenant: string; idempotencyKey: string; body: Rental }>;
type Use = Readonly<{ tenantKey: string; keyHash: string; bodyHash: string }>;
type Place = Readonly<{ namespace: string; name: string }>;

const NAME_LONGEST = 52;
const OTHER_BODY = 'Use a new key for a new rental, or send the same body to repeat the old one.';

export type Rented = Found & Readonly<{ outcome: 'Created' | 'Repeated' }>;

/** Throws Problem for what cannot be rented, IdempotencyKeyReused, or StoreUnavailable. */
export async function rent(deps: Deps, { tenant, idempotencyKey, body }: Order): Promise<Rented> {
  const use = { tenantKey: tenant, keyHash: sha256(idempotencyKey), bodyHash: sha256(canonical(body)) };
  const known = deps.caches.contracts.byIdempotencyKey(use);
  if (known) return repeated(known, use);
  const sold = findOffering(deps, body.offeringId);
  const spec = await specOf(deps, { tenant, body, sold });
  checkRental({ ...sold, contract: { spec } });
  const { metadata } = sold.offering;
  const name = `${metadata.name.slice(0, NAME_LONGEST)}-${base32Of(`${tenant}/${idempotencyKey}`, 10)}`;
  const first = await claimKey(deps, { use, place: { namespace: metadata.namespace ?? '', name } });
  if ('contract' in first) return first;
  return create(deps, { body, use, spec, place: first });
}

/** Where to create it, or the contract that an earlier request with this key has made. */
async function claimKey(deps: Deps, { use, place }: { use: Use; place: Place }): Promise<Place | Rented> {
  try {
    const { record, outcome } = await deps.store.idempotency.claim({
      ...use,
      contractNamespace: place.namespace,
      contractName: place.name,
    });
    if (outcome === 'New') return place;
    if (record.bodyHash !== use.bodyHash) throw keyReused(OTHER_BODY);
    const there = { namespace: record.contractNamespace, name: record.contractName };
    // Its creation was interrupted, or only the note of it: the contract may have ended and left since then.
    if (record.contractUID === undefined) return (await archivedOf(deps, use)) ?? there;
    return await ofRecord(deps, { place: there, uid: record.contractUID, use });
  } catch (error) {
    if (!(error instanceof Problem && error.code === 'StoreUnavailable')) throw error;
    const live = await deps.clients.contracts.get(place);
    if (live) return repeated(live, use);
    throw error;
  }
}

async function archivedOf(deps: Deps, { tenantKey, keyHash }: Use): Promise<Rented | undefined> {
  const archived = await deps.store.archive.findByIdempotencyKey({ tenantKey, idempotencyKey: keyHash });
  return archived && { contract: archived.contract, archived: true, outcome: 'Repeated' };
}

type Recorded = Readonly<{ place: Place; uid: string; use: Use }>;

async function ofRecord(deps: Deps, { place, uid, use }: Recorded): Promise<Rented> {
  const live = await deps.clients.contracts.get(place);
  if (live?.metadata.uid === uid) return repeated(live, use);
  const archived = await deps.store.archive.get(uid);
  if (archived) return { contract: archived.contract, archived: true, outcome: 'Repeated' };
  throw new Problem('Conflict', 'The contract of this Idempotency-Key ended and is being archived.', {
    next: 'Use a new Idempotency-Key for a new rental.',
  });
}

/** With the terms of the offering, unless it is not complete. */
async function specOf(
  deps: Deps,
  { tenant, body, sold }: Omit<Order, 'idempotencyKey'> & Readonly<{ sold: Sold }>,
): Promise<ContractSpec> {
  const { metadata, spec: offered } = sold.offering;
  const place = { namespace: metadata.namespace ?? '', name: offered.recipe?.name ?? '' };
  const recipe = offered.recipe ? await deps.clients.recipes.get(place) : undefined;
  const termsSnapshot = snapshotTerms(sold.offering, { provider: sold.provider, recipe });
  return {
    offering: { name: metadata.name },
    tenant: { publicKey: tenant },
    sshPublicKeys: [body.sshPublicKey],
    durationHours: body.durationHours ?? offered.duration.defaultHours,
    powerState: 'Running',
    restart: 0,
    reinstall: 0,
    passwordReset: 0,
    retry: 0,
    ...(body.antiAffinity ? { antiAffinity: body.antiAffinity } : {}),
    ...(body.instanceConfig ? { instanceConfig: body.instanceConfig } : {}),
    ...(termsSnapshot ? { termsSnapshot } : {}),
  };
}

type Creation = Readonly<{ body: Rental; use: Use; spec: ContractSpec; place: Place }>;

async function create(deps: Deps, { body, use, spec, place }: Creation): Promise<Rented> {
  try {
    const contract = await deps.clients.contracts.create({
      metadata: {
        ...place,
        labels: { [LABEL.tenant]: labelOfKey(use.tenantKey) },
        annotations: {
          [ANNOTATION.requestHash]: use.bodyHash,
          [ANNOTATION.idempotencyKey]: use.keyHash,
          ...(body.name ? { [ANNOTATION.displayName]: body.name } : {}),
        },
      },
      spec,
    });
    noteUid(deps, { use, uid: contract.metadata.uid ?? '' });
    await awaitOwn(deps, contract);
    return { contract, archived: false, outcome: 'Created' };
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const live = await deps.clients.contracts.get(place);
    if (!live) throw error;
    noteUid(deps, { use, uid: live.metadata.uid ?? '' });
    return repeated(live, use);
  }
}

/** A list right after renting shows the contract: this process waits for its own write. */
async function awaitOwn(deps: Deps, { metadata }: Contract): Promise<void> {
  const uid = metadata.uid ?? '';
  const isThere = (): boolean => deps.caches.contracts.byUid(uid) !== undefined;
  await untilCached(deps, { keys: [WAKE.contract(uid)], isThere });
}

/** Beside the answer: without it a retry still meets the live object, and later the archive, by its key. */
function noteUid(deps: Deps, { use, uid }: Readonly<{ use: Use; uid: string }>): void {
  deps.store.idempotency
    .setContract(use, { uid })
    .catch((error: unknown) =>
      deps.log.warn({ err: error, contract: uid }, 'idempotency key was not completed'),
    );
}

function repeated(contract: Contract, { tenantKey, bodyHash }: Use): Rented {
  const isSame =
    contract.spec.tenant.publicKey === tenantKey &&
    contract.metadata.annotations?.[ANNOTATION.requestHash] === bodyHash;
  if (!isSame) throw keyReused(OTHER_BODY);
  return { contract, archived: false, outcome: 'Repeated' };
}
