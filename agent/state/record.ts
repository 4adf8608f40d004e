/**
 * What the agent must remember about one contract, and the only ways in which that changes. Pure: the store
 * beside this file writes each result to disk before anybody acts on it. Source: contract.md, "The lock", 5–9.
 *
 *   accept ──► grant ──► reporting ──► reported (no grant any more; the machine runs)
 *                │
 *                ├─ fail ───► failed ──(answer: Destroy)──► doomed
 *                ├─ noRoom ─────────────────────────────────────────► absent (release)
 *   order ───────┴────────────────────────────────────────► doomed ─► absent (terminated) ─► delivered
 *
 * `givenUp` only rises. Nothing at or below it is ever accepted, created or reported.
 */
import { z } from 'zod';
import { Wanted } from '../../crds/wire/amounts.ts';
import { InstanceDetails } from '../../crds/wire/reports.ts';
import { PendingContract } from '../../crds/wire/work-list.ts';
import { invariant } from '../../lib/assert.ts';
import { ERROR_CLASSES } from '../provisioner/provisioner-error.ts';
import { wantedBy } from './size.ts';

const epoch = () => z.int().min(0);

const Created = z.object({
  externalId: z.string(),
  host: z.string().optional(),
  port: z.int(),
  user: z.string().optional(),
  addresses: z.array(z.string()),
  hostKeyFingerprint: z.string().optional(),
  isConfirmed: z.boolean(),
  details: z.record(z.string(), z.union([z.string(), z.number()])),
});

export const Grant = z.object({
  epoch: epoch(),
  acceptedAt: z.string(),
  /** What to build: needed to go on after a crash. */
  contract: PendingContract,
  /** The machine as it was finished; absent while it is being built. */
  created: Created.optional(),
  /** The facade's word that this epoch was granted. */
  proof: z.string().optional(),
});
export type Grant = z.infer<typeof Grant>;

const Failed = z.object({
  epoch: epoch(),
  class: z.enum(ERROR_CLASSES),
  message: z.string(),
  proof: z.string().optional(),
});

const Absent = z.object({
  epoch: epoch(),
  /** A release says: there never was a machine, for lack of room. */
  as: z.enum(['Terminated', 'NoRoom']),
});
export type Absent = z.infer<typeof Absent>;

export const ContractRecord = z.object({
  contractId: z.string(),
  /** Highest epoch that was given up; -1: none. */
  givenUp: z.int().min(-1),
  /** Highest epoch that was begun to be built: half a machine of it may be there that no listing shows. -1: none. */
  begun: z.int().min(-1),
  /** Highest epoch whose report may have reached the facade: its machine is never adopted. -1: none. */
  reporting: z.int().min(-1),
  /** How that machine was reported: after a restore the cluster may not know it. */
  reported: z.object({ epoch: epoch(), details: InstanceDetails }).optional(),
  /** The proof of the last grant, for as long as its machine may be there: a restored cluster believes no bare word. */
  proven: z.object({ epoch: epoch(), proof: z.string() }).optional(),
  grant: Grant.optional(),
  /** What its machine takes, when the grant is gone; it is the same for every epoch. */
  size: Wanted.optional(),
  failed: Failed.optional(),
  /** Epochs whose machine must go. */
  doomed: z.array(epoch()),
  /** Epochs that a successful listing showed to be gone; to be said until it is heard. */
  absent: z.array(Absent),
  /** Stopped by an order: not started again just because it is kept. */
  isStoppedByOrder: z.boolean(),
  /** The tenant's wishes that were begun and carried out, by their numbers. */
  wishes: z
    .object({
      epoch: epoch(),
      restartBegun: z.int().optional(),
      restart: z.int().optional(),
      reinstall: z.int().optional(),
      /** Hash of the keys that were set last, and on the system of which re-installation (0: the first). */
      keys: z.object({ system: z.int(), sshKeysSHA256: z.string() }).optional(),
      /** The password of this number was set; sealed, so that the disk knows no more than the facade. */
      password: z.object({ count: z.int(), sealed: z.string() }).optional(),
      /** The fresh system of this number, before SSH was seen to answer: never made twice. */
      made: z.object({ count: z.int(), created: Created }).optional(),
    })
    .optional(),
});
export type ContractRecord = z.infer<typeof ContractRecord>;

export const emptyRecord = (contractId: string): ContractRecord => ({
  contractId,
  givenUp: -1,
  begun: -1,
  reporting: -1,
  doomed: [],
  absent: [],
  isStoppedByOrder: false,
});

export const isGivenUp = (record: ContractRecord, { epoch }: Readonly<{ epoch: number }>): boolean =>
  epoch <= record.givenUp;

/** Undefined: that epoch was given up, so the grant is not taken. A newer grant takes the place of an older one. */
export function accept(record: ContractRecord, grant: Grant): ContractRecord | undefined {
  if (isGivenUp(record, grant)) return undefined;
  const { epoch, proof } = grant;
  const proven = proof === undefined ? {} : { proven: { epoch, proof } };
  return { ...record, grant, ...proven, size: wantedBy(grant.contract), isStoppedByOrder: false };
}

/** What a grant that was answered makes of the record; one that is there already is kept with what was built. */
export const take = (record: ContractRecord, grant: Grant): ContractRecord =>
  record.grant?.epoch === grant.epoch
    ? (accept(record, record.grant) ?? record)
    : (accept(record, grant) ?? record);

/** Written before the provisioner is asked to build or to adopt. */
export function begin(record: ContractRecord): ContractRecord {
  invariant(record.grant, 'only what was granted is begun');
  return record.begun >= record.grant.epoch ? record : { ...record, begun: record.grant.epoch };
}

export function finish(record: ContractRecord, created: NonNullable<Grant['created']>): ContractRecord {
  invariant(record.grant, 'only what was granted is finished');
  return { ...record, grant: { ...record.grant, created } };
}

/** Written before the report is sent. */
export function beginReport(record: ContractRecord, details?: InstanceDetails): ContractRecord {
  invariant(record.grant, 'only what was granted is reported');
  const { epoch } = record.grant;
  const reported = details === undefined ? {} : { reported: { epoch, details } };
  return { ...record, reporting: Math.max(record.reporting, epoch), ...reported };
}

/** The report was answered, or the facade will never want it: the grant is settled either way. */
export function settle(record: ContractRecord): ContractRecord {
  const { grant, ...rest } = record;
  return rest;
}

function giveUp(record: ContractRecord, epoch: number): ContractRecord {
  const { grant, ...rest } = record;
  const givenUp = Math.max(record.givenUp, epoch);
  return grant && grant.epoch > givenUp ? { ...record, givenUp } : { ...rest, givenUp };
}

export function fail(record: ContractRecord, failed: z.infer<typeof Failed>): ContractRecord {
  const proof = record.grant?.epoch === failed.epoch ? record.grant.proof : undefined;
  return {
    ...giveUp(record, failed.epoch),
    failed: { ...failed, ...(proof === undefined ? {} : { proof }) },
  };
}

/** The facade answered `failed`; with Destroy the machine of that epoch must go. */
export function settleFailure(record: ContractRecord, then: 'Continue' | 'Destroy'): ContractRecord {
  const { failed, ...rest } = record;
  return failed && then === 'Destroy' ? order(rest, failed.epoch) : rest;
}

/** The machine of exactly this epoch must go, and its absence be confirmed. Known already: the same record. */
export function order(record: ContractRecord, epoch: number): ContractRecord {
  const isKnown = record.doomed.includes(epoch) || record.absent.some((entry) => entry.epoch === epoch);
  // What failed and is to go needs no report any more: it was superseded.
  const isMoot = record.failed !== undefined && record.failed.epoch <= epoch;
  if (isKnown && !isMoot && isGivenUp(record, { epoch })) return record;
  const { failed, ...rest } = giveUp(record, epoch);
  const kept = failed && !isMoot ? { ...rest, failed } : rest;
  return isKnown ? kept : { ...kept, doomed: [...record.doomed, epoch] };
}

/**
 * Was the machine of this older epoch interrupted by a crash or an expiry? Then the grant may adopt it. One that
 * was given up failed; one that was reported did not verify, or was moved.
 */
export const isAdoptable = (record: ContractRecord, machine: Readonly<{ epoch: number }>): boolean =>
  record.grant !== undefined &&
  machine.epoch < record.grant.epoch &&
  !isGivenUp(record, machine) &&
  machine.epoch > record.reporting;

/**
 * What an order does while a job works on the contract. Not yet where the grant adopts that machine: then there is
 * none of this epoch any more, and the order comes again.
 */
export const heed = (record: ContractRecord, epoch: number): ContractRecord =>
  isAdoptable(record, { epoch }) && !record.grant?.created ? record : order(record, epoch);

/** A listing after giving up showed none of the machines of this epoch. */
export function confirmAbsent(record: ContractRecord, absent: Absent): ContractRecord {
  const given = giveUp(record, absent.epoch);
  const doomed = record.doomed.filter((epoch) => epoch !== absent.epoch);
  const others = record.absent.filter((entry) => entry.epoch !== absent.epoch);
  return { ...given, doomed, absent: [...others, absent] };
}

type Wishes = NonNullable<ContractRecord['wishes']>;

/** What was done of the wishes about the machine of `epoch`; a newer machine begins anew. */
export function withWish(
  record: ContractRecord,
  { epoch, ...wish }: Pick<Wishes, 'epoch'> & Partial<Wishes>,
): ContractRecord {
  const before = record.wishes?.epoch === epoch ? record.wishes : { epoch };
  return { ...record, wishes: { ...before, ...wish } };
}

/** A fresh system on the same machine: what is said of it from now on is this. */
export const reinstalled = (
  record: ContractRecord,
  { epoch, count, details }: Readonly<{ epoch: number; count: number; details: InstanceDetails }>,
): ContractRecord => ({ ...withWish(record, { epoch, reinstall: count }), reported: { epoch, details } });

export const wishesOf = (record: ContractRecord, { epoch }: Readonly<{ epoch: number }>): Wishes =>
  record.wishes?.epoch === epoch ? record.wishes : { epoch };

export const delivered = (record: ContractRecord, absent: Absent): ContractRecord => ({
  ...record,
  absent: record.absent.filter((entry) => entry.epoch !== absent.epoch),
});

/**
 * The world is another one: what was granted, ordered and still to be said is dropped without a word. The epoch of
 * the grant is given up, so that nothing is built on it; its machine, if there is one, stays where it is.
 */
export function drop(record: ContractRecord): ContractRecord {
  if (isSettled(record)) return record;
  const { failed, ...rest } = record.grant ? giveUp(record, record.grant.epoch) : record;
  return { ...rest, doomed: [], absent: [] };
}

/** Nothing left to do but to remember. */
export const isSettled = (record: ContractRecord): boolean =>
  !record.grant && !record.failed && record.doomed.length === 0 && record.absent.length === 0;
