/**
 * The agent's memory on disk: one file for each contract, one for machines of no contract, one
 * for the world, one for the incarnation. A change is on disk, fsynced, before `change` returns; a crash leaves the old or the new, whole.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { EMPTY_BOOK, OrphanBook } from '../../crds/contract/orphans.ts';
import { EXIT, Failure, messageOf } from '../failure.ts';
import { makePrivateFolder, readIfThere, removeDurably, writeDurably } from '../files.ts';
import { ContractRecord, emptyRecord, isSettled } from './record.ts';
import { FIRST_MEMORY, WorldMemory } from './world.ts';

const Incarnation = z.object({ incarnation: z.int().min(0) });

/** Long after an ended contract has left the cluster (30 days), no grant of it can come any more. */
const FORGET_AFTER_MS = 90 * 24 * 3_600_000;

export type Store = Readonly<{
  folder: string;
  /** Every contract that is remembered. */
  all: () => readonly ContractRecord[];
  get: (contractId: string) => ContractRecord;
  /** On disk when it returns. `update` answers the record that it was given when nothing changes. */
  change: (contractId: string, update: (record: ContractRecord) => ContractRecord) => ContractRecord;
  /** Machines of no contract: since when, and what was destroyed in the last hour. */
  orphans: () => OrphanBook;
  setOrphans: (book: OrphanBook) => void;
  /** The generation of the world, and how far it had got. */
  world: () => WorldMemory;
  setWorld: (memory: WorldMemory) => void;
  /** Raised by one, on disk. */
  raiseIncarnation: () => number;
}>;

/** Throws Failure when the folder cannot be used or a file in it is damaged. */
export function openStore(folder: string, now: Date): Store {
  const contracts = join(folder, 'contracts');
  const orphansFile = join(folder, 'orphans.json');
  const worldFile = join(folder, 'world.json');
  const incarnationFile = join(folder, 'incarnation.json');
  const records = new Map<string, ContractRecord>();
  let orphans: OrphanBook = EMPTY_BOOK;
  let world: WorldMemory = FIRST_MEMORY;
  guarded(folder, () => {
    makePrivateFolder(contracts);
    for (const name of readdirSync(contracts)) {
      const path = join(contracts, name);
      if (!name.endsWith('.json'))
        removeDurably(path); // half a file of a crash
      else loadRecord(path, { records, now });
    }
    orphans = read(orphansFile, OrphanBook) ?? EMPTY_BOOK;
    world = read(worldFile, WorldMemory) ?? FIRST_MEMORY;
  });
  const get = (contractId: string): ContractRecord => records.get(contractId) ?? emptyRecord(contractId);
  return {
    folder,
    all: () => [...records.values()],
    get,
    change: (contractId, update) => {
      const before = get(contractId);
      const after = update(before);
      if (after === before) return before;
      guarded(folder, () => write(join(contracts, `${contractId}.json`), after));
      records.set(contractId, after);
      return after;
    },
    orphans: () => orphans,
    setOrphans: (next) => {
      guarded(folder, () => write(orphansFile, next));
      orphans = next;
    },
    world: () => world,
    setWorld: (next) => {
      guarded(folder, () => write(worldFile, next));
      world = next;
    },
    raiseIncarnation: () =>
      guarded(folder, () => {
        const incarnation = (read(incarnationFile, Incarnation)?.incarnation ?? 0) + 1;
        write(incarnationFile, { incarnation });
        return incarnation;
      }),
  };
}

function loadRecord(
  path: string,
  { records, now }: Readonly<{ records: Map<string, ContractRecord>; now: Date }>,
): void {
  const record = read(path, ContractRecord);
  if (!record) return;
  if (isSettled(record) && now.getTime() - statSync(path).mtimeMs > FORGET_AFTER_MS) removeDurably(path);
  else records.set(record.contractId, record);
}

const write = (path: string, value: unknown): void => writeDurably(path, `${JSON.stringify(value)}\n`);

function read<T>(path: string, schema: z.ZodType<T>): T | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new Failure(`${path} is damaged`, {
      next: 'Restore it from a backup. Do not just delete it: it says which machines must not be built again.',
      exitCode: EXIT.Misused,
    });
  }
}

function guarded<T>(folder: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`the state folder ${folder} cannot be used: ${messageOf(error)}`, {
      next: 'Make it writable for this user, free space on its disk, or name another with state_dir in [agent].',
      exitCode: EXIT.Misused,
      cause: error,
    });
  }
}
