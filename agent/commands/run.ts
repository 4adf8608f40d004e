/** `dc-agent run`: opens everything, raises the incarnation, and runs the daemon until a signal. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../lib/clock.ts';
import { createLogger, type Logger } from '../../lib/log.ts';
import { isPassing, retrying } from '../api-client.ts';
import { delegationPath } from '../config/paths.ts';
import { type Facade, facadeOf } from '../facade.ts';
import { messageOf } from '../failure.ts';
import { makePrivateFolder } from '../files.ts';
import { provisionerOf } from '../provisioners.ts';
import type { Identity, Limits } from '../run/context.ts';
import { runDaemon } from '../run/daemon.ts';
import { fingerprint, measureHost } from '../run/host.ts';
import { keyedMutex } from '../run/mutex.ts';
import { resourcesOf } from '../run/resources.ts';
import { saveDelegation } from '../setup/delegation.ts';
import { probeSsh } from '../ssh-probe.ts';
import { takeRunLock } from '../state/run-lock.ts';
import { openStore } from '../state/store.ts';
import { VERSION } from '../version.ts';
import { type Opened, open } from './opened.ts';

const BACKOFF = { firstMs: 1000, maxMs: 15_000, factor: 2, jitter: 0.3 };

export type RunDeps = Readonly<{
  configFile: string;
  clock: Clock;
  signal: AbortSignal;
  environment: Readonly<Record<string, string | undefined>>;
}>;

export async function run({ configFile, clock, signal, environment }: RunDeps): Promise<void> {
  const opened = open(configFile, clock);
  const { config, client, key } = opened;
  const log = createLogger({ name: 'dc-agent', level: config.agent.log_level });
  for (const warning of opened.warnings) log.warn(warning);
  const stateDir = config.agent.state_dir;
  makePrivateFolder(stateDir);
  const release = takeRunLock(stateDir);
  try {
    const store = openStore(stateDir, clock.now());
    const incarnation = store.raiseIncarnation();
    const speaker = { session: randomBytes(12).toString('base64url'), incarnation };
    const facade = facadeOf(client, config.agent.provider_pubkey, speaker);
    log.info(
      { version: VERSION, api: config.agent.api_url, key: key.publicKey, stateDir, ...speaker },
      'agent starting',
    );
    const identity = await identityOf({ opened, facade, log, clock, signal });
    if (!identity) return;
    const { installation } = identity;
    const provisioner = provisionerOf({ config, installation, environment, clock, log });
    const skewSeconds = client.skewSeconds;
    await runDaemon({
      context: {
        facade,
        provisioner,
        probeSsh,
        store,
        clock,
        log,
        limits: limitsOf(config),
        mutex: keyedMutex(),
        identity,
      },
      heartbeat: {
        version: VERSION,
        fingerprint: fingerprint(),
        resources: () => resourcesOf(config, () => measureHost(stateDir)),
        capabilities: config.resources.capabilities,
        skewSeconds,
      },
      signal,
    });
  } finally {
    release();
  }
}

type Asking = Readonly<{ opened: Opened; facade: Facade; log: Logger; clock: Clock; signal: AbortSignal }>;

/** As it was told when it joined; a host that was configured by hand asks. Undefined: stopped before an answer. */
async function identityOf({ opened, facade, log, clock, signal }: Asking): Promise<Identity | undefined> {
  const { delegation, config } = opened;
  if (delegation) return { installation: delegation.installation, agentUid: delegation.agentUid };
  const body = {
    version: VERSION,
    provisionerType: config.provisioner.type,
    fingerprint: fingerprint(),
    activeContracts: 0,
  };
  try {
    const { installation, agentUid } = await retrying(() => facade.heartbeat(body, { signal }), {
      clock,
      signal,
      backoff: BACKOFF,
      isPassing,
      onWait: (error) => log.warn({ err: messageOf(error) }, 'asking the server who this agent is'),
    });
    saveDelegation(delegationPath(config.file), { installation, agentUid });
    return { installation, agentUid };
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** A person takes hours: many may be asked at a time, and a stop does not wait for one. */
const MANUAL = { concurrent: 64, stopMs: 1000 };
const CONCURRENT = 4;

export function limitsOf({ agent, provisioner, reconcile }: Opened['config']): Limits {
  const isManual = provisioner.type === 'manual';
  const stopMs = agent.stop_timeout_seconds * 1000;
  return {
    maxConcurrent: agent.max_concurrent ?? (isManual ? MANUAL.concurrent : CONCURRENT),
    maxInstances: agent.max_instances,
    lockTimeoutMs: agent.lock_timeout_seconds * 1000,
    sshTimeoutMs: agent.ssh_timeout_seconds * 1000,
    pollSeconds: agent.poll_interval_seconds,
    reconcileMs: agent.reconcile_interval_seconds * 1000,
    orphans: {
      minAgeMs: reconcile.min_orphan_age_minutes * 60_000,
      quarantineMs: agent.quarantine_hours * 3_600_000,
      destroyedPerHourMax: reconcile.max_orphans_destroyed_per_hour,
    },
    stopMs: isManual ? Math.min(stopMs, MANUAL.stopMs) : stopMs,
  };
}
