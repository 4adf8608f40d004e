/** A market as the provider sees it at a terminal: a real operator whose clock the test moves on, agents that only beat, kubectl. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject } from 'vitest';
import type { Agent } from '../../crds/agent.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import type { ContractStatus } from '../../crds/contract/status.ts';
import { LABEL } from '../../crds/group.ts';
import { freePort } from '../../dev/processes/ports.ts';
import { createKubeClient } from '../../kube/client.ts';
import { LEASES, type Lease } from '../../kube/lease.ts';
import type { KubeObject } from '../../kube/object.ts';
import { createLogger } from '../../lib/log.ts';
import { generateKeyPair } from '../../lib/signature/keys.ts';
import { readConfig } from '../../operator/config.ts';
import { runOperator } from '../../operator/run.ts';
import { createDatabase, inNamespace } from '../world/cluster.ts';
import { eventually } from '../world/eventually.ts';
import { jumpClock } from '../world/jump-clock.ts';
import { resourceOf } from '../world/market.ts';
import { EXAMPLES } from './examples.ts';

const HOUR_MS = 3_600_000;

export type Terminal = Awaited<ReturnType<typeof openTerminal>>;

export async function openTerminal(prefix: string) {
  const kubeconfig = inject('kubeconfig');
  const client = createKubeClient({ kubeconfig: { file: kubeconfig } });
  const namespace = await inNamespace(prefix);
  const database = await createDatabase();
  const folder = mkdtempSync(join(tmpdir(), 'dcmarket-kubectl-'));
  const clock = jumpClock();
  const metricsPort = await freePort();
  const agents = resourceOf<Agent>(client, 'Agent');
  const contracts = resourceOf<Contract>(client, 'Contract');
  const leases = client.resource<Lease>(LEASES);
  const joined: string[] = [];

  const start = () => {
    const stop = new AbortController();
    const running = runOperator({
      config: readConfig({
        KUBECONFIG: kubeconfig,
        DATABASE_URL: database.url,
        METRICS_PORT: String(metricsPort),
        LEASE_NAMESPACE: namespace,
        WATCH_NAMESPACE: namespace,
        LOG_LEVEL: 'silent',
      }),
      log: createLogger({ name: 'operator', level: 'silent' }),
      clock,
      identity: 'test',
      // A jump must not cost it its leadership.
      timing: {
        ...{ leaseDurationMs: 48 * HOUR_MS, renewDeadlineMs: 40 * HOUR_MS, watchStallMs: 48 * HOUR_MS },
        isTimeMoved: true,
      },
      signal: stop.signal,
    });
    running.catch(() => undefined);
    return async (): Promise<void> => {
      stop.abort(new Error('the test stops the operator'));
      await running;
    };
  };
  let stop = start();

  const make = <T extends KubeObject>(kind: string, name: string, spec: object = {}) =>
    resourceOf<T>(client, kind).create({
      ...EXAMPLES[kind],
      metadata: kind === 'Provider' ? { name } : { name, namespace },
      spec: { ...EXAMPLES[kind]?.spec, ...spec },
    } as unknown as T); // the example, as a person writes it
  async function read<T extends KubeObject>(kind: string, name: string): Promise<T> {
    const found = await resourceOf<T>(client, kind).get({ namespace, name });
    if (!found) throw new Error(`there is no ${kind} ${name}`);
    return found;
  }
  /** A heartbeat, as the facade writes it. */
  async function beat({ metadata: { name, uid = '' } }: Agent): Promise<void> {
    const at = { namespace, name };
    const known = await leases.get(at);
    const renewTime = clock.now().toISOString().replace('Z', '000Z');
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: known?.metadata ?? { ...at, labels: { [LABEL.agent]: uid } },
      spec: { holderIdentity: name, renewTime, leaseDurationSeconds: 45 },
    } as unknown as Lease; // the rest has defaults
    await (known ? leases.update(lease) : leases.create(lease));
  }
  const isOnline = ({ status }: Agent): boolean =>
    status?.conditions?.some(({ type, status: is }) => type === 'Online' && is === 'True') ?? false;
  const kubectl = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(join(inject('controlPlaneFolder'), 'kubectl'), [
      ...['--kubeconfig', kubeconfig, '--cache-dir', folder, '-n', namespace],
      ...args,
    ]);
    return stdout;
  };

  await make('Provider', namespace, { namespace, publicKey: generateKeyPair().publicKey });
  return {
    client,
    namespace,
    clock,
    make,
    read,
    kubectl,
    contractOf: (name: string) => read<Contract>('Contract', name),
    agentOf: (name: string) => read<Agent>('Agent', name),
    /** An agent that was heard a moment ago and says how large its host is. */
    join: async (name: string, resources: object | undefined, spec: object = {}): Promise<void> => {
      joined.push(name);
      const publicKey = String(joined.length).padStart(64, '0');
      const agent = await make<Agent>('Agent', name, { publicKey, poolName: 'europe-proxmox', ...spec });
      const said = { version: '1.0.0', ...(resources ? { resources } : {}) };
      await eventually(async () => {
        const latest = await read<Agent>('Agent', name); // the operator writes as well
        await agents.updateStatus({ ...latest, status: { ...latest.status, ...said } });
      });
      await beat(agent);
      await eventually(async () => expect(isOnline(await read<Agent>('Agent', name))).toBe(true));
    },
    cordon: (name: string, cordoned: boolean) =>
      agents.patch({ namespace, name }, { type: 'Merge', body: { spec: { cordoned } } }),
    /** Time passes for the operator; all agents are heard again. */
    pass: async (ms: number): Promise<void> => {
      clock.jump(ms);
      for (const name of joined) await beat(await read<Agent>('Agent', name));
      for (const name of joined)
        await eventually(async () => expect(isOnline(await read<Agent>('Agent', name))).toBe(true));
    },
    rent: async (name: string, spec: object = {}): Promise<void> => {
      await make('Contract', name, { offering: { name: 'vps-large' }, ...spec });
      await eventually(async () =>
        expect((await read<Contract>('Contract', name)).status?.phase).toBe('Accepted'),
      );
    },
    /** As facade and agents would leave it; again when the operator was faster. */
    leave: (name: string, change: object) =>
      eventually(async () => {
        const contract = await read<Contract>('Contract', name);
        const status = { ...contract.status, ...change } as ContractStatus; // the operator has seen it
        await contracts.updateStatus({ ...contract, status });
      }),
    /** Rows of `kubectl get`, a bar for each gap. */
    table: async (kind: string): Promise<string[]> =>
      (await kubectl('get', kind))
        .trim()
        .split('\n')
        .map((line) => line.replaceAll(/ {2,}/g, ' | ')),
    metric: async (name: string, labels: string): Promise<string | undefined> => {
      const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
      return new RegExp(`^${name}\\{${labels}\\} (\\d+)$`, 'm').exec(text)?.[1];
    },
    restart: async (): Promise<void> => {
      await stop();
      stop = start();
    },
    close: async (): Promise<void> => {
      await stop();
      await client.close();
      await database.drop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
