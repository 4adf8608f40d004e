/**
 * Writes to PostgreSQL what a contract's own lists forget: each attempt, and each time that something was given
 * up. Beside every path: the leader sees it in the objects, keeps it until PostgreSQL has it, and after a restart
 * reads it from the objects again; all rows are idempotent. Each give-up is told once as well, as an Event and in
 * a metric: at once when the move was seen; else when its row shows that nobody wrote it down before.
 */
import { isDeepStrictEqual } from 'node:util';
import { type Contract, isLive, type LiveContract } from '../../crds/contract/contract.ts';
import { type GiveUp, giveUpsOf } from '../../crds/contract/give-up.ts';
import { Problem } from '../../crds/problem.ts';
import type { Change, Informer } from '../../kube/informer.ts';
import { type Backoff, backoffMs } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { AttemptRecord } from '../../store/attempts.ts';
import type { DeadLetter } from '../../store/dead-letters.ts';
import type { Store } from '../../store/store.ts';

export type ChronicleStore = Pick<Store, 'attempts' | 'deadLetters'>;

export type TellGiveUp = (contract: LiveContract, giveUp: GiveUp) => void;

type Deps = Readonly<{
  contracts: Pick<Informer<Contract>, 'onChange'>;
  store: ChronicleStore;
  tell: TellGiveUp;
  clock: Clock;
  log: Logger;
}>;

/** `told`: Events and metric have it already. */
type Letter = Readonly<{ letter: DeadLetter; giveUp: GiveUp; contract: LiveContract; told: boolean }>;

const BATCH = 500;
/** While PostgreSQL is down for long: the oldest go first, and most of them are still in the objects. */
const PENDING_MAX = 100_000;
const BACKOFF: Backoff = { firstMs: 500, maxMs: 30_000, factor: 2, jitter: 0.3 };

/** Runs until aborted; what is pending then is tried once more. */
export async function keepChronicle(deps: Deps, signal: AbortSignal): Promise<void> {
  const { contracts, store, clock, log } = deps;
  const attempts = createPending<AttemptRecord>();
  const letters = createPending<Letter>();
  let wake = (): void => {};
  const stop = contracts.onChange(
    (change) => {
      note(change, { attempts, letters, tell: deps.tell });
      wake();
    },
    { replay: 'Existing' },
  );
  const writers: Writers = {
    attempts: (batch) => store.attempts.put(batch),
    letters: (batch) => writeLetters(deps, batch),
  };
  signal.addEventListener('abort', () => wake(), { once: true });
  for (let failures = 0; !signal.aborted; ) {
    const changed = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const outcome = await flush({ attempts, letters }, { writers, log });
    failures = outcome === 'Unavailable' ? failures + 1 : 0;
    if (outcome === 'More') continue;
    if (outcome === 'Unavailable')
      await clock.sleep(backoffMs(failures - 1, BACKOFF), { signal }).catch(() => undefined);
    else await changed;
  }
  stop();
  await flush({ attempts, letters }, { writers, log });
}

type Pending<T> = Readonly<{
  add: (key: string, value: T) => void;
  /** The oldest, at most a batch. */
  first: () => readonly (readonly [string, T])[];
  /** Forgets what was written, unless something newer came under its key meanwhile. */
  done: (written: readonly (readonly [string, T])[]) => void;
}>;

function createPending<T>(): Pending<T> {
  const waiting = new Map<string, T>();
  return {
    add: (key, value) => {
      waiting.set(key, value);
      const [oldest] = waiting.keys();
      if (waiting.size > PENDING_MAX && oldest !== undefined) waiting.delete(oldest);
    },
    first: () => {
      const batch: (readonly [string, T])[] = [];
      for (const entry of waiting) {
        if (batch.length >= BATCH) break;
        batch.push(entry);
      }
      return batch;
    },
    done: (written) => {
      for (const [key, value] of written) if (waiting.get(key) === value) waiting.delete(key);
    },
  };
}

type Queues = Readonly<{ attempts: Pending<AttemptRecord>; letters: Pending<Letter> }>;

/** What is new of an object: all of it when it was not known before. */
function note(change: Change<Contract>, { attempts, letters, tell }: Queues & Pick<Deps, 'tell'>): void {
  const { object, old } = change;
  if (change.type === 'Deleted' || !isLive(object)) return;
  const contractUID = object.metadata.uid ?? '';
  for (const attempt of object.status.attempts ?? [])
    if (!old?.status?.attempts?.some((known) => isDeepStrictEqual(known, attempt)))
      attempts.add(`${contractUID}/${attempt.agentUID}/${attempt.epoch}`, { contractUID, attempt });
  const known = new Set(old?.status ? giveUpsOf(old.status).map(({ key }) => key) : []);
  for (const giveUp of giveUpsOf(object.status)) {
    if (known.has(giveUp.key)) continue;
    const told = change.type === 'Updated';
    if (told) tell(object, giveUp);
    letters.add(`${contractUID}/${giveUp.key}`, {
      letter: letterOf(object, giveUp),
      giveUp,
      contract: object,
      told,
    });
  }
}

/** A row of `dead_letters`. */
export const letterOf = ({ metadata, status }: LiveContract, giveUp: GiveUp): DeadLetter => ({
  contractUID: metadata.uid ?? '',
  key: giveUp.key,
  namespace: metadata.namespace ?? '',
  name: metadata.name,
  reason: giveUp.reason,
  message: giveUp.message,
  by: giveUp.by,
  at: new Date(giveUp.at),
  attempts: status.attempts ?? [],
});

type Writers = Readonly<{
  attempts: (batch: readonly AttemptRecord[]) => Promise<void>;
  letters: (batch: readonly Letter[]) => Promise<void>;
}>;

/** One batch of each. */
async function flush(
  { attempts, letters }: Queues,
  { writers, log }: Readonly<{ writers: Writers; log: Logger }>,
): Promise<'Done' | 'More' | 'Unavailable'> {
  const tries = attempts.first();
  const given = letters.first();
  try {
    await writeAll(tries, { write: writers.attempts, log });
    attempts.done(tries);
    await writeAll(given, { write: writers.letters, log });
    letters.done(given);
  } catch (error) {
    log.info({ err: error }, 'history of contracts waits for the database');
    return 'Unavailable';
  }
  return tries.length === 0 && given.length === 0 ? 'Done' : 'More';
}

type Writing<T> = Readonly<{ write: (batch: readonly T[]) => Promise<void>; log: Logger }>;

/** One bad record must not hold the others up: a batch that is refused is written one by one, and it is named. */
async function writeAll<T>(
  batch: readonly (readonly [string, T])[],
  { write, log }: Writing<T>,
): Promise<void> {
  if (batch.length === 0) return;
  try {
    await write(batch.map(([, value]) => value));
  } catch (error) {
    if (isUnavailable(error)) throw error;
    if (batch.length > 1) {
      for (const entry of batch) await writeAll([entry], { write, log });
      return;
    }
    log.error({ err: error, record: batch[0]?.[0] }, 'a record of history was refused by the database');
  }
}

async function writeLetters({ store, tell }: Deps, batch: readonly Letter[]): Promise<void> {
  const added = await store.deadLetters.put(batch.map(({ letter }) => letter));
  for (const { letter, giveUp, contract, told } of batch)
    if (!told && added.includes(letter)) tell(contract, giveUp);
}

const isUnavailable = (error: unknown): boolean => error instanceof Problem && error.retryable;
