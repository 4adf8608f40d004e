/** What the provider could do about a refusal, as an instruction; undefined where nothing sensible can be done. */
import { show } from './amounts.ts';
import type { PassedOver, Placement } from './place.ts';
import { type Because, endsAtMs, isTooLate, type PassedOverReason } from './reasons.ts';
import { type Saying, showInstant } from './sentences.ts';

const HELPS_MAX = 3;

type Where = Saying & Readonly<{ pool: string; agent: string }>;
type Helps = { [R in PassedOverReason]: (because: Because<R>, where: Where) => string | undefined };

const HELPS: Helps = {
  NotTheChosenPool: () => undefined,
  WrongRegion: () => undefined,
  WrongType: () => undefined,
  NoAgents: (_, { pool }) => `let an agent join ${pool} with a setup token`,
  PoolNotFound: (_, { pool, agent }) => `make the pool ${pool} that ${agent} names`,
  PoolDeleting: (_, { pool }) => `make another pool in place of ${pool}`,
  AgentRevoked: () => undefined,
  MissingPermission: (_, { agent }) => `give ${agent} the permission provision`,
  AgentTypeMismatch: ({ said }, { agent }) => `move ${agent} to a pool of type ${said}`,
  LabelMismatch: ({ condition }, { agent }) => `label ${agent} so that ${condition} holds`,
  MissingCapability: ({ capability }, { agent }) => `provide ${capability} on ${agent}`,
  MissingStorageClass: ({ storageClass }, { agent }) => `provide a disk of class ${storageClass} on ${agent}`,
  TooSmall: ({ dimension, wanted }, { pool }) => `add an agent with ${show(dimension, wanted)} to ${pool}`,
  FailedForGood: ({ class: kind }) =>
    kind === 'configuration' ? 'correct the settings of the offering' : undefined,
  AgentCordoned: (_, { agent }) => `uncordon ${agent}`,
  AgentDraining: (_, { agent }) => `end the drain of ${agent}`,
  DuplicateAgent: (_, { agent }) => `stop one of the two processes of ${agent}`,
  AgentOffline: (_, { agent }) => `bring ${agent} online`,
  AgentUnhealthy: (_, { agent }) => `mend ${agent}`,
  Maintenance: ({ window }, where) => `wait for ${where.agent} at ${showInstant(window.endsMs, where)}`,
  BreakerOpen: ({ untilMs }, where) => `wait for ${where.agent} at ${showInstant(untilMs, where)}`,
  OnTrial: (_, { agent }) => `wait until ${agent} has built what it builds now`,
  VersionTooOld: ({ minVersion }, { agent }) => `upgrade ${agent} to ${minVersion}`,
  InsufficientCPU: (because, where) => free('cpuMilli', because, where),
  InsufficientMemory: (because, where) => free('memoryBytes', because, where),
  InsufficientStorage: (because, where) => free('storageBytes', because, where),
  InsufficientGPU: (because, where) => free('gpus', because, where),
  TooManyInstances: (_, { agent }) => `end a contract on ${agent} or raise its limit of machines`,
  TooManyBuilds: (_, { agent }) => `wait until ${agent} has built what it builds now`,
  AntiAffinity: (_, { pool }) => `add another agent to ${pool}`,
  PoolPaused: (_, { pool }) => `set spec.paused of ${pool} to false`,
  FallbackLater: ({ opensAtMs }, where) => `wait for the fallback at ${showInstant(opensAtMs, where)}`,
};

/** To wait for what comes too late is no help. */
export const helpOf = (because: Because, where: Where): string | undefined =>
  isTooLate(because, where) ? undefined : plainly(because, where);

function plainly<R extends PassedOverReason>(because: Because<R>, where: Where): string | undefined {
  const help: Helps[R] = HELPS[because.reason];
  return help(because, where);
}

/** The easiest ways out: for each reason the agent that lacks the least, at most three. */
export function whatHelps({
  passedOver,
  nowMs,
  untilMs,
}: Pick<Placement, 'passedOver' | 'nowMs' | 'untilMs'>): string[] {
  const best = new Map<PassedOverReason, PassedOver>();
  for (const entry of passedOver) {
    const known = best.get(entry.because.reason);
    if (!known || lack(entry.because) < lack(known.because)) best.set(entry.because.reason, entry);
  }
  return [...best.values()]
    .sort((a, b) => EFFORT.indexOf(a.because.reason) - EFFORT.indexOf(b.because.reason))
    .flatMap(
      ({ pool, agent, because }) => helpOf(because, { pool, agent: agent ?? pool, nowMs, untilMs }) ?? [],
    )
    .slice(0, HELPS_MAX);
}

/** What is least trouble first. */
const EFFORT: readonly PassedOverReason[] = [
  'FallbackLater',
  'AgentCordoned',
  'PoolPaused',
  'InsufficientCPU',
  'InsufficientMemory',
  'InsufficientStorage',
  'InsufficientGPU',
  'TooManyInstances',
  'OnTrial',
  'TooManyBuilds',
  'BreakerOpen',
  'Maintenance',
  'AgentDraining',
  'AgentOffline',
  'DuplicateAgent',
  'MissingPermission',
  'VersionTooOld',
  'LabelMismatch',
  'PoolNotFound',
  'NoAgents',
  'PoolDeleting',
  'AntiAffinity',
  'AgentUnhealthy',
  'AgentTypeMismatch',
  'MissingCapability',
  'MissingStorageClass',
  'TooSmall',
  'FailedForGood',
  'AgentRevoked',
  'NotTheChosenPool',
  'WrongRegion',
  'WrongType',
];

/** How much is missing, or how long it takes; comparable only within one reason. */
const lack = (because: Because): number =>
  'free' in because ? because.wanted - because.free : (endsAtMs(because) ?? 0);

const free = (
  dimension: Parameters<typeof show>[0],
  because: Readonly<{ free: number; wanted: number }>,
  { agent }: Where,
): string => `free ${show(dimension, because.wanted - because.free)} on ${agent}`;
