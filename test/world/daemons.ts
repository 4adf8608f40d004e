/** Agents as they run on a host, against a real facade; only their hypervisors and the SSH of machines are fake. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApiClient } from '../../agent/api-client.ts';
import { facadeOf } from '../../agent/facade.ts';
import type { Limits, ProbeSsh } from '../../agent/run/context.ts';
import { runDaemon } from '../../agent/run/daemon.ts';
import { keyedMutex } from '../../agent/run/mutex.ts';
import { openStore } from '../../agent/state/store.ts';
import { type FakeHypervisor, FINGERPRINT } from '../../agent/testing/fake-hypervisor.ts';
import { systemClock } from '../../lib/clock.ts';
import { createLogger } from '../../lib/log.ts';
import type { KeyPair } from '../../lib/signature/keys.ts';

/** What takes a day on a host takes a second here. */
export const SHORT: Limits = {
  maxConcurrent: 4,
  maxInstances: undefined,
  lockTimeoutMs: 300_000,
  sshTimeoutMs: 5000,
  pollSeconds: 2,
  reconcileMs: 200,
  orphans: { minAgeMs: 0, quarantineMs: 1000, destroyedPerHourMax: 5 },
  stopMs: 2000,
};

export type DaemonOptions = Readonly<{
  facade: Readonly<{ url: string }>;
  providerKey: string;
  agent: Readonly<{ keys: KeyPair; uid: string }>;
  installation: string;
  hypervisor: FakeHypervisor;
  stateDir: string;
  /** Another one: another machine or boot. */
  fingerprint?: string;
  limits?: Partial<Limits>;
  /** Answers at once when left out. */
  probeSsh?: ProbeSsh;
}>;

export type Daemon = Readonly<{
  session: string;
  incarnation: number;
  /** Rejects when it can never count again. */
  ended: Promise<void>;
  stop: () => Promise<void>;
}>;

let started = 0;

/** Raises the incarnation in its state folder, as each start does. */
export function startDaemon(options: DaemonOptions): Daemon {
  const { facade, providerKey, agent, installation, hypervisor, stateDir } = options;
  const store = openStore(stateDir, systemClock.now());
  const speaker = { session: `session-of-start-${++started}`, incarnation: store.raiseIncarnation() };
  const client = createApiClient({ apiUrl: facade.url, seed: agent.keys.seed, clock: systemClock });
  const stopping = new AbortController();
  const ended = runDaemon({
    context: {
      facade: facadeOf(client, providerKey, speaker),
      provisioner: hypervisor,
      probeSsh: options.probeSsh ?? (async () => ({ hostKeyFingerprint: FINGERPRINT })),
      store,
      clock: systemClock,
      log: createLogger({ name: 'agent', level: process.env['TEST_LOG'] === 'debug' ? 'debug' : 'silent' }),
      limits: { ...SHORT, ...options.limits },
      mutex: keyedMutex(),
      identity: { installation, agentUid: agent.uid },
    },
    heartbeat: {
      version: 'test',
      fingerprint: options.fingerprint ?? 'host-1',
      resources: () => ({}),
      capabilities: [],
      skewSeconds: () => 0,
    },
    signal: stopping.signal,
  });
  ended.catch(() => undefined);
  return {
    ...speaker,
    ended,
    stop: () => {
      stopping.abort(new Error('SIGTERM'));
      return ended.catch(() => undefined);
    },
  };
}

/** A state folder that goes with the test. */
export function stateFolder(): Readonly<{ path: string; remove: () => void }> {
  const path = mkdtempSync(join(tmpdir(), 'dc-agent-state-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
