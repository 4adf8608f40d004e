/** What the provider reads of a pool or an agent that was passed over: figures and names, and instants, not ages. */
import { showWindow } from '../maintenance.ts';
import { show } from './amounts.ts';
import { type Because, isTooLate, type PassedOverReason } from './reasons.ts';

/** `untilMs`: when the contract ends that waits, where one is talked of. */
export type Saying = Readonly<{ nowMs: number; untilMs?: number | undefined }>;
type Sentences = { [R in PassedOverReason]: (because: Because<R>, saying: Saying) => string };

const SENTENCES: Sentences = {
  NotTheChosenPool: ({ chosen }) => `the offering names pool ${chosen}`,
  WrongRegion: ({ region, wanted }) => `in ${region}, wanted is ${wanted.join(' or ')}`,
  WrongType: ({ type, wanted }) => `builds ${type}, wanted is ${wanted.join(' or ')}`,
  NoAgents: () => 'no agent has joined',
  PoolNotFound: () => 'there is no such pool',
  PoolDeleting: () => 'its pool is being deleted',
  AgentRevoked: () => 'revoked',
  MissingPermission: () => 'lacks the permission provision',
  AgentTypeMismatch: ({ said, wanted }) => `says that it builds ${said}, its pool is for ${wanted}`,
  LabelMismatch: ({ condition }) => `its labels do not fit ${condition}`,
  MissingCapability: ({ capability }) => `lacks ${capability}`,
  MissingStorageClass: ({ storageClass }) => `has no disk of class ${storageClass}`,
  TooSmall: ({ dimension, total, wanted }) =>
    `too small: ${show(dimension, total)} in all, ${show(dimension, wanted)} wanted`,
  FailedForGood: ({ epoch, class: kind }) =>
    `its attempt of epoch ${epoch} failed for good: ${kind ?? 'permanent'}`,
  AgentCordoned: ({ note, by, sinceMs }, saying) => {
    const since = sinceMs === undefined ? '' : ` since ${showInstant(sinceMs, saying)}`;
    return `cordoned${by ? ` by ${by}` : ''}${since}${note ? `: "${note}"` : ''}`;
  },
  AgentDraining: () => 'is being drained',
  DuplicateAgent: () => 'two processes use its key',
  AgentOffline: ({ sinceMs }, saying) =>
    sinceMs === undefined ? 'offline' : `offline since ${showInstant(sinceMs, saying)}`,
  AgentUnhealthy: ({ message }) => `unhealthy: ${message}`,
  Maintenance: ({ window, of }) =>
    `${of === 'Pool' ? 'its pool has maintenance' : 'maintenance'} ${showWindow(window)}`,
  BreakerOpen: ({ failures, untilMs }, saying) =>
    `unhealthy: ${failures} contracts in a row failed, again from ${showInstant(untilMs, saying)} on`,
  OnTrial: ({ failures }) =>
    `on trial after ${failures} contracts in a row failed: one at a time until one succeeds`,
  VersionTooOld: ({ version, minVersion }) =>
    `dc-agent ${version ?? 'of unknown version'}, the pool wants ${minVersion} or newer`,
  InsufficientCPU: (because) => full('cpuMilli', because),
  InsufficientMemory: (because) => full('memoryBytes', because),
  InsufficientStorage: (because) => full('storageBytes', because),
  InsufficientGPU: (because) => full('gpus', because),
  TooManyInstances: ({ total }) =>
    total === 1 ? 'full: it has its one machine' : `full: it has all of its ${show('instances', total)}`,
  TooManyBuilds: ({ building, most }) =>
    `waits for what it has begun: builds ${building}, and may have ${most} at a time`,
  AntiAffinity: ({ group }) => `has another contract of the tenant's group ${group}`,
  PoolPaused: () => 'its pool is paused',
  FallbackLater: ({ opensAtMs, afterSeconds }, saying) =>
    `from ${showInstant(opensAtMs, saying)} on (fallback after ${afterSeconds} s)`,
};

export function sentenceOf(because: Because, saying: Saying): string {
  const said = plainly(because, saying);
  return isTooLate(because, saying)
    ? `${said}: too late, it is tried until ${showInstant(saying.untilMs ?? 0, saying)}`
    : said;
}

function plainly<R extends PassedOverReason>(because: Because<R>, saying: Saying): string {
  const say: Sentences[R] = SENTENCES[because.reason];
  return say(because, saying);
}

const full = (
  dimension: Parameters<typeof show>[0],
  { free, total }: Readonly<{ free: number; total: number }>,
): string => `full: ${show(dimension, free)} free of ${show(dimension, total)}`;

/** `14:07:00 UTC`, with the date when that is another day. */
export function showInstant(ms: number, { nowMs }: Saying): string {
  const [date, time = ''] = new Date(ms).toISOString().split('T');
  const today = new Date(nowMs).toISOString().slice(0, 10);
  return `${date === today ? '' : `${date} `}${time.slice(0, 8)} UTC`;
}
