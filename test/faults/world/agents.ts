/** Agents of one world: the real daemon on a hypervisor with a ledger. It can be stopped, killed and started again. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApiClient } from '../../../agent/api-client.ts';
import { facadeOf } from '../../../agent/facade.ts';
import type { Limits } from '../../../agent/run/context.ts';
import { runDaemon } from '../../../agent/run/daemon.ts';
import { keyedMutex } from '../../../agent/run/mutex.ts';
import { SshProbeError } from '../../../agent/ssh-probe.ts';
import { openStore } from '../../../agent/state/store.ts';
import { FINGERPRINT } from '../../../agent/testing/fake-hypervisor.ts';
import { mortalBy } from '../../../agent/testing/mortal.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { KeyPair } from '../../../lib/signature/keys.ts';
import type { Treat } from '../ledger/behaviour.ts';
import { createHypervisor } from '../ledger/hypervisor.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { quietLog } from './programs.ts';

export type AgentOptions = Readonly<{
  clock: Clock;
  /** Where the facades are, from the agent's side. */
  apiUrl: string;
  providerKey: string;
  installation: string;
  ledger: Ledger;
  treat: Treat;
  /** Also the name of its hypervisor. */
  name: string;
  uid: string;
  key: KeyPair;
}>;

export type TestAgent = Readonly<{
  name: string;
  uid: string;
  key: KeyPair;
  /** Another process with the memory of the one before. */
  start: () => void;
  /** SIGTERM: resolves when it has stopped. */
  stop: () => Promise<void>;
  /** SIGKILL: nothing that it does has any effect from now on. */
  kill: () => void;
  isRunning: () => boolean;
  close: () => Promise<void>;
}>;

/** Hurried milliseconds. */
const LIMITS: Limits = {
  maxConcurrent: 4,
  maxInstances: undefined,
  lockTimeoutMs: 300_000,
  sshTimeoutMs: 60_000,
  pollSeconds: 25,
  reconcileMs: 40_000,
  orphans: { minAgeMs: 0, quarantineMs: 20_000, destroyedPerHourMax: 1000 },
  stopMs: 10_000,
};

export function createAgent(options: AgentOptions): TestAgent {
  const { clock, apiUrl, key, ledger, name, uid, installation } = options;
  const stateDir = mkdtempSync(join(tmpdir(), 'dc-agent-'));
  let process: Readonly<{ stop: () => Promise<void>; kill: () => void }> | undefined;
  const start = (): void => {
    process?.kill();
    const life = new AbortController();
    const mortal = mortalBy(life.signal);
    const store = openStore(stateDir, clock.now());
    const incarnation = store.raiseIncarnation();
    const speaker = { session: `session-${incarnation}-${'x'.repeat(8)}`, incarnation };
    const client = createApiClient({ apiUrl, seed: key.seed, clock });
    const hypervisor = createHypervisor({ ledger, clock, host: name, installation, treat: options.treat });
    const stopping = new AbortController();
    const ended = runDaemon({
      context: {
        facade: mortal(facadeOf(client, options.providerKey, speaker)),
        provisioner: mortal(hypervisor),
        probeSsh: async () => {
          const running = ledger.machines().some(({ host, state }) => host === name && state === 'Running');
          if (!running) throw new SshProbeError('Refused', 'nothing listens');
          return { hostKeyFingerprint: FINGERPRINT };
        },
        store,
        clock: mortal(clock),
        log: quietLog(name),
        limits: LIMITS,
        mutex: keyedMutex(),
        identity: { installation, agentUid: uid },
      },
      heartbeat: {
        version: 'test',
        fingerprint: name,
        resources: () => ({}),
        capabilities: [],
        skewSeconds: () => 0,
      },
      signal: stopping.signal,
    });
    ended.catch(() => undefined);
    process = {
      kill: () => life.abort(),
      stop: () => {
        stopping.abort(new Error('SIGTERM'));
        return ended.catch(() => undefined);
      },
    };
  };
  const kill = (): void => {
    process?.kill();
    process = undefined;
  };
  return {
    name,
    uid,
    key,
    start,
    kill,
    isRunning: () => process !== undefined,
    stop: async () => {
      await process?.stop();
      process = undefined;
    },
    close: async () => {
      kill();
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}
