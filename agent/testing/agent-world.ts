/** One agent on one fake hypervisor against one fake facade; it can be stopped, killed and started again. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { generateKeyPair } from '../../lib/signature/keys.ts';
import { createApiClient } from '../api-client.ts';
import { facadeOf } from '../facade.ts';
import { recordingLog } from '../provisioner/testing.ts';
import type { Limits, ProbeSsh } from '../run/context.ts';
import { runDaemon } from '../run/daemon.ts';
import { keyedMutex } from '../run/mutex.ts';
import { SshProbeError } from '../ssh-probe.ts';
import { openStore } from '../state/store.ts';
import { AGENT_UID, FakeFacade, INSTALLATION } from './fake-facade.ts';
import { type FakeHypervisor, FINGERPRINT, fakeHypervisor } from './fake-hypervisor.ts';
import { hurriedClock } from './hurried-clock.ts';
import { mortalBy } from './mortal.ts';

/** Minutes become a second; a signature, good for 60 s, must still arrive in time on a busy machine. */
const TIMES = 60;

export const LIMITS: Limits = {
  maxConcurrent: 4,
  maxInstances: undefined,
  lockTimeoutMs: 300_000,
  sshTimeoutMs: 20_000,
  pollSeconds: 5,
  reconcileMs: 10_000,
  orphans: { minAgeMs: 15 * 60_000, quarantineMs: 60_000, destroyedPerHourMax: 5 },
  stopMs: 10_000,
};

export type RunningAgent = Readonly<{
  /** SIGTERM: resolves when it has stopped. */
  stop: () => Promise<void>;
  /** SIGKILL: nothing that it does has any effect from now on. */
  kill: () => void;
  ended: Promise<void>;
}>;

export type AgentWorld = Readonly<{
  clock: Clock;
  facade: FakeFacade;
  hypervisor: FakeHypervisor;
  stateDir: string;
  ssh: { isUp: boolean };
  /** A clone has the incarnation of its original. */
  start: (limits?: Partial<Limits>, as?: 'Itself' | 'Clone') => RunningAgent;
  /** All that its agents logged. */
  logged: () => string;
  close: () => Promise<void>;
}>;

export async function agentWorld(): Promise<AgentWorld> {
  const clock = hurriedClock(TIMES);
  const key = generateKeyPair();
  const facade = new FakeFacade(clock, key.publicKey);
  const apiUrl = await facade.listen();
  const hypervisor = fakeHypervisor(clock, INSTALLATION);
  const stateDir = mkdtempSync(join(tmpdir(), 'dc-agent-'));
  const ssh = { isUp: true };
  const agents: RunningAgent[] = [];
  const recorded = recordingLog();
  const start = (limits: Partial<Limits> = {}, as: 'Itself' | 'Clone' = 'Itself'): RunningAgent => {
    const life = new AbortController();
    const mortal = mortalBy(life.signal);
    const store = openStore(stateDir, clock.now());
    const speaker = {
      session: `session-${agents.length}-${'x'.repeat(8)}`,
      incarnation: as === 'Clone' ? agents.length : store.raiseIncarnation(),
    };
    const client = createApiClient({ apiUrl, seed: key.seed, clock });
    const probeSsh: ProbeSsh = async () => {
      if (!ssh.isUp) throw new SshProbeError('Refused', 'nothing listens');
      return { hostKeyFingerprint: FINGERPRINT };
    };
    const stopping = new AbortController();
    const ended = runDaemon({
      context: {
        facade: mortal(facadeOf(client, 'ab'.repeat(32), speaker)),
        provisioner: mortal(hypervisor),
        probeSsh: mortal({ probeSsh }).probeSsh,
        store,
        clock: mortal(clock),
        log: recorded.log,
        limits: { ...LIMITS, ...limits },
        mutex: keyedMutex(),
        identity: { installation: INSTALLATION, agentUid: AGENT_UID },
      },
      heartbeat: {
        version: 'test',
        fingerprint: 'host-1',
        resources: () => ({}),
        capabilities: [],
        skewSeconds: () => 0,
      },
      signal: stopping.signal,
    });
    ended.catch(() => undefined);
    const agent = {
      ended,
      kill: () => {
        life.abort();
        facade.dead.add(speaker.session);
      },
      stop: () => {
        stopping.abort(new Error('SIGTERM'));
        return ended;
      },
    };
    agents.push(agent);
    return agent;
  };
  return {
    clock,
    facade,
    hypervisor,
    stateDir,
    ssh,
    start,
    logged: recorded.text,
    close: async () => {
      for (const agent of agents) agent.kill();
      facade.close();
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}
