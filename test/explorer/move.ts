/** What can happen next: one step of one process, or one fault. */
import type { World } from './world.ts';

export const MOVE_KINDS = [
  'TenantEnds',
  'TimePasses',
  'LongTimePasses',
  'OperatorSees',
  'OperatorActs',
  'OperatorWrites',
  'OperatorLosesRace',
  'OperatorCrashes',
  'CacheSees',
  'FacadeWrites',
  'FacadeAnswers',
  'FacadeRefuses',
  'FacadeLosesRace',
  'RequestLost',
  'ReplyLost',
  'RequestDoubled',
  'RequestLate',
  'DestroyOrdered',
  'AgentSends',
  'AgentHears',
  'AgentRenews',
  'AgentNotes',
  'Listed',
  'MachineBegun',
  'MachineMade',
  'MachineFails',
  'MachineAdopted',
  'MachineDestroyed',
  'AbsenceSeen',
  'Verified',
  'AgentCrashes',
  'AgentStarts',
  'Heartbeat',
  'Inventory',
  'CloneStarts',
  'AgentRevoked',
  'AgentDrained',
] as const;
export type MoveKind = (typeof MOVE_KINDS)[number];

export type Move = Readonly<{
  kind: MoveKind;
  /** Who did what, for the story. */
  text: string;
  next: World;
}>;
