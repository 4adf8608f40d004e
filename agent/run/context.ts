/** What every part of the daemon works with; wired by hand in `run.ts`. */
import type { OrphanLimits } from '../../crds/contract/orphans.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Facade } from '../facade.ts';
import type { ListedInstance, Provisioner } from '../provisioner/provisioner.ts';
import type { SshProbe, SshTarget } from '../ssh-probe.ts';
import type { Store } from '../state/store.ts';
import type { KeyedMutex } from './mutex.ts';

/** Whose machines are ours. */
export type Identity = Readonly<{ installation: string; agentUid: string }>;

/** Banner and host key of an SSH server; `agent/ssh-probe.ts`, or what a test says. */
export type ProbeSsh = (target: SshTarget) => Promise<Pick<SshProbe, 'hostKeyFingerprint'>>;

export type Limits = Readonly<{
  maxConcurrent: number;
  maxInstances: number | undefined;
  /** A lock that was not renewed is trusted no longer than this. */
  lockTimeoutMs: number;
  sshTimeoutMs: number;
  pollSeconds: number;
  reconcileMs: number;
  /** Machines of no contract: how old, how long stopped, how many an hour. */
  orphans: OrphanLimits;
  stopMs: number;
}>;

export type Context = Readonly<{
  facade: Facade;
  provisioner: Provisioner;
  probeSsh: ProbeSsh;
  store: Store;
  clock: Clock;
  log: Logger;
  limits: Limits;
  mutex: KeyedMutex;
  identity: Identity;
  /** Aborted when the agent is asked to stop: nothing new begins, nobody waits any longer. */
  stopping: AbortSignal;
  /** Aborted when its time is over: running steps are broken off and left to the next start. */
  halted: AbortSignal;
}>;

/** Only our own: of this installation, and built by this agent (or by a script that does not know of agents). */
export const isOwn = (machine: ListedInstance, { installation, agentUid }: Identity): boolean =>
  machine.installation === installation && (machine.agentUid ?? agentUid) === agentUid;
