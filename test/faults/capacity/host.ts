/** One host with room for so many machines, and the real daemon on it, which sends each call to another facade. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiClient, createApiClient } from '../../../agent/api-client.ts';
import { type Facade, facadeOf } from '../../../agent/facade.ts';
import { runDaemon } from '../../../agent/run/daemon.ts';
import { keyedMutex } from '../../../agent/run/mutex.ts';
import { openStore } from '../../../agent/state/store.ts';
import { FINGERPRINT } from '../../../agent/testing/fake-hypervisor.ts';
import type { Promised } from '../../../crds/wire/amounts.ts';
import { systemClock } from '../../../lib/clock.ts';
import type { KeyPair } from '../../../lib/signature/keys.ts';
import { createHypervisor } from '../ledger/hypervisor.ts';
import { createLedger, isOurs, type Ledger } from '../ledger/ledger.ts';
import { quietLog } from '../world/programs.ts';

/**
 * Who finds out that the host is full: the agent before it claims, by its limit or by its sums alone, or its hypervisor
 * when it is told to create. With `Sums` the facades know nothing of its size, and the hypervisor refuses nothing.
 */
export type Knows = 'Agent' | 'Hypervisor' | 'Sums';

export type HostOptions = Readonly<{
  facadeUrls: readonly string[];
  providerKey: string;
  key: KeyPair;
  agentUid: string;
  room: number;
  knows: Knows;
}>;

export type Host = Readonly<{
  ledger: Ledger;
  /** The most machines that ever stood at a time. */
  most: () => number;
  /** How often the hypervisor had to refuse. */
  refused: () => number;
  close: () => Promise<void>;
}>;

export async function openHost(options: HostOptions): Promise<Host> {
  const { facadeUrls, providerKey, key, agentUid, room, knows } = options;
  const clock = systemClock;
  const stateDir = mkdtempSync(join(tmpdir(), 'dc-agent-'));
  const ledger = createLedger({ clock });
  let most = 0;
  let refused = 0;
  const standing = (): number => ledger.machines().filter(isOurs).length;
  ledger.follow(() => {
    most = Math.max(most, standing());
  });
  const store = openStore(stateDir, clock.now());
  const incarnation = store.raiseIncarnation();
  const speaker = { session: `session-${incarnation}`, incarnation };
  const client = inTurn(facadeUrls.map((apiUrl) => createApiClient({ apiUrl, seed: key.seed, clock })));
  const known = facadeOf(client, providerKey, speaker);
  const facade = knows === 'Sums' ? blind(known, { cpuMilli: room * 1000 }) : known;
  const said = { version: '1.0.0', provisionerType: 'script', activeContracts: 0 };
  const { installation } = await facade.heartbeat({ ...said, resources: { cpuThreads: room } });
  const stopping = new AbortController();
  const ended = runDaemon({
    context: {
      facade,
      provisioner: createHypervisor({
        ...{ ledger, clock, host: 'host', installation },
        treat: ({ action }) => {
          if (knows === 'Sums' || action !== 'create' || standing() < room) return undefined;
          refused++;
          return { fail: { class: 'capacity', leaves: 'Nothing', message: 'no room' } };
        },
      }),
      probeSsh: async () => ({ hostKeyFingerprint: FINGERPRINT }),
      store,
      clock,
      log: quietLog('host'),
      limits: {
        maxConcurrent: 8,
        maxInstances: knows === 'Agent' ? room : undefined,
        lockTimeoutMs: 300_000,
        sshTimeoutMs: 60_000,
        pollSeconds: 25,
        reconcileMs: 60_000,
        orphans: { minAgeMs: 0, quarantineMs: 20_000, destroyedPerHourMax: 1000 },
        stopMs: 2_000,
      },
      mutex: keyedMutex(),
      identity: { installation, agentUid },
    },
    heartbeat: {
      version: '1.0.0',
      fingerprint: 'host',
      resources: () => ({ cpuThreads: room }),
      capabilities: [],
      skewSeconds: () => 0,
    },
    signal: stopping.signal,
  });
  ended.catch(() => undefined);
  return {
    ledger,
    most: () => most,
    refused: () => refused,
    close: async () => {
      stopping.abort(new Error('the test is over'));
      await ended.catch(() => undefined);
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}

/** The facades hear no size and sum up nothing; what the host may be promised for it hears all the same. */
const blind = (facade: Facade, promised: Promised): Facade => ({
  ...facade,
  heartbeat: async ({ resources: _unsaid, ...body }, options) => ({
    ...(await facade.heartbeat(body, options)),
    promised,
  }),
});

/** Each call to the next facade. */
function inTurn(clients: readonly ApiClient[]): ApiClient {
  let calls = 0;
  const next = (): ApiClient => {
    const client = clients[calls++ % clients.length];
    if (!client) throw new Error('there is no facade');
    return client;
  };
  return { ...next(), call: (schema, request) => next().call(schema, request) };
}
