/**
 * What the tenant reads of a reason. No name, figure or note of the provider's is within reach here: only the
 * reason itself, what the tenant ordered, and when the answer may change.
 */
import type { Because, PassedOverReason } from './reasons.ts';

const SENTENCES = {
  NotTheChosenPool: 'Some machines are not meant for this offering.',
  WrongRegion: 'Some machines stand in another region.',
  WrongType: 'Some machines are of another kind.',
  NoAgents: 'The provider has no machine for this offering yet.',
  PoolNotFound: 'Some machines are not set up yet.',
  PoolDeleting: 'Some machines are going out of service.',
  AgentRevoked: 'Some machines are out of service.',
  MissingPermission: 'Some machines do not take orders.',
  AgentTypeMismatch: 'Some machines are not set up for this offering.',
  LabelMismatch: 'Some machines are not of the kind that this offering asks for.',
  MissingCapability: 'Some machines lack a feature that this offering asks for.',
  MissingStorageClass: 'Some machines lack the kind of disk that this offering asks for.',
  TooSmall: 'Some machines are too small for this offering.',
  FailedForGood: 'Some machines tried and cannot build it.',
  AgentCordoned: 'Some machines take no new orders at the moment.',
  AgentDraining: 'Some machines take no new orders at the moment.',
  DuplicateAgent: 'Some machines take no new orders at the moment.',
  AgentOffline: 'Some machines are offline.',
  AgentUnhealthy: 'Some machines are being mended.',
  Maintenance: 'Some machines are under maintenance.',
  BreakerOpen: 'Some machines had failures lately and are given time.',
  OnTrial: 'Some machines had failures lately and are being tried.',
  VersionTooOld: 'Some machines wait for an update.',
  InsufficientCPU: 'Some machines have too little CPU free.',
  InsufficientMemory: 'Some machines have too little memory free.',
  InsufficientStorage: 'Some machines have too little disk free.',
  InsufficientGPU: 'Some machines have no GPU free.',
  TooManyInstances: 'Some machines are full.',
  TooManyBuilds: 'Some machines are busy with what was ordered before.',
  AntiAffinity: 'Some machines have another contract of your group already; you asked to keep them apart.',
  PoolPaused: 'Some machines take no new orders at the moment.',
  FallbackLater: 'Some machines may be used when you have waited a little longer.',
} as const satisfies Record<PassedOverReason, string>;

export const tenantSentenceOf = ({ reason }: Pick<Because, 'reason'>): string => SENTENCES[reason];
