/**
 * The closed list of why a pool or an agent is passed over, with the figures that belong to each. What is said of
 * them is in `sentences.ts` (the provider), `tenant.ts` (the tenant) and `helps.ts` (what would help).
 */

import type { Attempt } from '../contract/status.ts';
import type { PROVISIONER_TYPES } from '../fields.ts';
import type { Window } from '../maintenance.ts';
import type { Region } from '../regions.ts';
import type { Dimension } from './amounts.ts';

type ProvisionerType = (typeof PROVISIONER_TYPES)[number];

/** Instants are milliseconds since 1970; amounts are in the unit of their dimension. */
type Figures = {
  // the way to a pool
  NotTheChosenPool: Readonly<{ chosen: string }>;
  WrongRegion: Readonly<{ region: Region; wanted: readonly Region[] }>;
  WrongType: Readonly<{ type: ProvisionerType; wanted: readonly ProvisionerType[] }>;
  NoAgents: Nothing;
  PoolNotFound: Nothing;
  PoolDeleting: Nothing;
  // what the agent is and has
  AgentRevoked: Nothing;
  MissingPermission: Nothing;
  AgentTypeMismatch: Readonly<{ said: ProvisionerType; wanted: ProvisionerType }>;
  LabelMismatch: Readonly<{ condition: string }>;
  MissingCapability: Readonly<{ capability: string }>;
  MissingStorageClass: Readonly<{ storageClass: string }>;
  TooSmall: Readonly<{ dimension: Dimension; total: number; wanted: number }>;
  FailedForGood: Readonly<{ epoch: number; class: Attempt['class'] }>;
  // the state that it is in
  AgentCordoned: Readonly<{
    note: string | undefined;
    by: string | undefined;
    sinceMs: number | undefined;
  }>;
  AgentDraining: Nothing;
  DuplicateAgent: Nothing;
  AgentOffline: Readonly<{ sinceMs: number | undefined }>;
  AgentUnhealthy: Readonly<{ message: string }>;
  Maintenance: Readonly<{ window: Window; of: 'Agent' | 'Pool' }>;
  BreakerOpen: Readonly<{ failures: number; untilMs: number }>;
  OnTrial: Readonly<{ failures: number }>;
  VersionTooOld: Readonly<{ version: string | undefined; minVersion: string }>;
  // the room that is left
  InsufficientCPU: Shortage;
  InsufficientMemory: Shortage;
  InsufficientStorage: Shortage;
  InsufficientGPU: Shortage;
  TooManyInstances: Shortage;
  TooManyBuilds: Readonly<{ building: number; most: number }>;
  // the wishes of tenant and provider
  AntiAffinity: Readonly<{ group: string }>;
  PoolPaused: Nothing;
  FallbackLater: Readonly<{ opensAtMs: number; afterSeconds: number }>;
};
type Nothing = Readonly<Record<never, never>>;
/** Of one dimension: what is free, what there is in all, what is wanted. */
type Shortage = Readonly<{ free: number; total: number; wanted: number }>;

export type PassedOverReason = keyof Figures;

/** Written so that a function over one reason can look into a table of all of them without a cast. */
export type Because<R extends PassedOverReason = PassedOverReason> = {
  [K in R]: Readonly<{ reason: K }> & Figures[K];
}[R];

/** What has to change before the answer does. */
export type Cause = 'Route' | 'Requirement' | 'State' | 'Room' | 'Wish' | 'Time';

export const CAUSE_OF = {
  NotTheChosenPool: 'Route',
  WrongRegion: 'Route',
  WrongType: 'Route',
  NoAgents: 'Route',
  PoolNotFound: 'Route',
  PoolDeleting: 'Route',
  AgentRevoked: 'State',
  MissingPermission: 'State',
  AgentTypeMismatch: 'State',
  LabelMismatch: 'Requirement',
  MissingCapability: 'Requirement',
  MissingStorageClass: 'Requirement',
  TooSmall: 'Requirement',
  FailedForGood: 'State',
  AgentCordoned: 'State',
  AgentDraining: 'State',
  DuplicateAgent: 'State',
  AgentOffline: 'State',
  AgentUnhealthy: 'State',
  Maintenance: 'Time',
  BreakerOpen: 'Time',
  OnTrial: 'Time',
  VersionTooOld: 'State',
  InsufficientCPU: 'Room',
  InsufficientMemory: 'Room',
  InsufficientStorage: 'Room',
  InsufficientGPU: 'Room',
  TooManyInstances: 'Room',
  TooManyBuilds: 'Room',
  AntiAffinity: 'Wish',
  PoolPaused: 'State',
  FallbackLater: 'Time',
} as const satisfies Record<PassedOverReason, Cause>;

/** In the order in which they are looked at: the first that holds is the one that is told. */
export const PASSED_OVER_REASONS = Object.keys(CAUSE_OF) as readonly PassedOverReason[]; // the keys of that table

export const SHORTAGE_OF = {
  cpuMilli: 'InsufficientCPU',
  memoryBytes: 'InsufficientMemory',
  storageBytes: 'InsufficientStorage',
  gpus: 'InsufficientGPU',
  instances: 'TooManyInstances',
} as const satisfies Record<Dimension, PassedOverReason>;

/** It ends by itself, and not before the contract does. */
export function isTooLate(
  because: Because,
  { untilMs }: Readonly<{ untilMs?: number | undefined }>,
): boolean {
  const endsMs = endsAtMs(because);
  return endsMs !== undefined && untilMs !== undefined && endsMs >= untilMs;
}

/** When a refusal ends by the passing of time alone; undefined: something else must happen. */
export function endsAtMs(because: Because): number | undefined {
  switch (because.reason) {
    case 'Maintenance':
      return because.window.endsMs;
    case 'BreakerOpen':
      return because.untilMs;
    case 'FallbackLater':
      return because.opensAtMs;
    default:
      return undefined;
  }
}
