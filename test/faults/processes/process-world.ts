/**
 * The market as processes, for one test: a provider with a pool, an offering and two agents, each agent with a
 * hypervisor of its own that has a stranger's machine on it too. Operator and facade reach the API server and
 * PostgreSQL only through proxies that see every write.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clients, createClients } from '../../../api/clients.ts';
import type { ProcessFolders } from '../../../dev/processes/managed-process.ts';
import { createKubeClient, type KubeClient } from '../../../kube/client.ts';
import { systemClock } from '../../../lib/clock.ts';
import { eventually } from '../../world/eventually.ts';
import type { Treat } from '../ledger/behaviour.ts';
import { createLedger, type Ledger } from '../ledger/ledger.ts';
import { startLedgerServer } from '../ledger/server.ts';
import { createSshDoors } from '../ledger/ssh-doors.ts';
import { type History, recordHistory } from '../oracles/history.ts';
import { type ApiServerProxy, openApiServerProxy } from '../proxy/api-server.ts';
import { openPostgresProxy, type PostgresProxy } from '../proxy/postgres.ts';
import { joinAgent } from './agent-setup.ts';
import type { Program } from './program.ts';
import { createPrograms, stablePort, type Way } from './programs.ts';
import { expectOnline, makeSupply, OFFERING, POOL } from './supply.ts';
import { caller, createTenant, insist, type Tenant } from './tenant.ts';

export const AGENTS = ['agent-1', 'agent-2'] as const;
export type AgentName = (typeof AGENTS)[number];
export const STRANGER = 'somebody-elses';

export type ProcessWorldOptions = Readonly<{
  kubeconfig: string;
  /** Where run files go, so that the next run finds what this one left when it is killed. */
  runFolder: string;
  /** Where all else goes, logs too. */
  folder: string;
  /** There already, and empty. */
  namespace: string;
  databaseUrl: string;
  lockTtlSeconds?: number;
  /** Short: an operator that was killed is followed after three seconds. */
  leaderLease?: 'Short' | 'Default';
}>;

export type Agent = Readonly<{
  /** Of its host. */
  name: AgentName;
  /** Of its Agent. */
  objectName: string;
  uid: string;
  program: Program;
}>;

/** How a program reaches the API server and PostgreSQL, and what sees it do so. */
export type SeenWay = Way & Readonly<{ apiServer: ApiServerProxy; postgres: PostgresProxy }>;

export type ProcessWorld = Readonly<{
  namespace: string;
  databaseUrl: string;
  kube: KubeClient;
  clients: Clients;
  ledger: Ledger;
  history: History;
  operator: Program;
  facade: Program;
  agents: readonly Agent[];
  agentOf: (uid: string) => Agent;
  ways: Readonly<Record<'operator' | 'facade', SeenWay>>;
  /** Of the facade. */
  url: string;
  tenant: Tenant;
  offeringId: string;
  /** How the hypervisors treat what is asked from now on. */
  treat: (treat: Treat) => void;
  /** A second operator beside the first, with a way of its own. */
  startSecondOperator: () => Promise<Readonly<{ program: Program; way: SeenWay }>>;
  close: () => Promise<void>;
}>;

export async function openProcessWorld(options: ProcessWorldOptions): Promise<ProcessWorld> {
  const closing: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const each of closing.splice(0).reverse()) await each();
  };
  try {
    return { ...(await open(options, closing)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Closing = { push: (close: () => Promise<unknown>) => unknown };

async function open(options: ProcessWorldOptions, closing: Closing): Promise<Omit<ProcessWorld, 'close'>> {
  const { kubeconfig, namespace, databaseUrl, lockTtlSeconds = 5, leaderLease = 'Short' } = options;
  const folder = join(options.folder, namespace);
  const folders: ProcessFolders = { run: options.runFolder, logs: join(folder, 'logs') };
  mkdirSync(folder, { recursive: true });
  const kube = createKubeClient({ kubeconfig: { file: kubeconfig }, userAgent: 'process-world' });
  closing.push(kube.close);
  const clients = createClients(kube);
  const ledger = createLedger({ clock: systemClock });
  const doors = createSshDoors(ledger);
  closing.push(doors.close);
  let treat: Treat = () => undefined;
  const server = await startLedgerServer({ ledger, doors, clock: systemClock, treat: (call) => treat(call) });
  closing.push(server.close);
  const openWay = async (name: string): Promise<SeenWay> => {
    const apiServer = await openApiServerProxy(kubeconfig);
    closing.push(apiServer.close);
    const postgres = await openPostgresProxy(databaseUrl);
    closing.push(postgres.close);
    const file = join(folder, `${name}.kubeconfig`);
    writeFileSync(file, apiServer.kubeconfigText);
    return { apiServer, postgres, kubeconfig: file, databaseUrl: postgres.url };
  };
  const ways = { operator: await openWay('operator'), facade: await openWay('facade') };
  const provider = await makeSupply(clients, { namespace, lockTtlSeconds });
  const port = await stablePort();
  const url = `http://127.0.0.1:${port}`;
  const programs = createPrograms({
    ...{ folders, namespace, leaderLease },
    cacheFolder: join(options.folder, 'compiled'),
  });
  const [operator, facade] = await Promise.all([
    programs.operator('operator', ways.operator),
    programs.facade({ ...ways.facade, port }),
  ]);
  closing.push(operator.stop);
  closing.push(facade.stop);
  const call = caller(url);
  const providerPath = `/api/v1/providers/${provider.publicKey}`;
  await eventually(
    async () => {
      const { data, body } = await call('GET', providerPath, {});
      if (data?.ready !== true) throw new Error(`the provider is not ready: ${JSON.stringify(body)}`);
    },
    { withinMs: 60_000 },
  );
  const agents = await Promise.all(
    AGENTS.map(async (name): Promise<Agent> => {
      const token = await insist(call, 'POST', `${providerPath}/pools/${POOL}/setup-tokens`, {
        key: provider,
        body: { label: name },
      });
      const environment = server.environment(name);
      const config = join(folder, name, 'config.toml');
      const joined = await joinAgent({ config, url, token: token.token, name, environment });
      ledger.addStranger(name, STRANGER);
      const program = await programs.agent(name, { config, environment });
      closing.push(program.stop);
      return { name, ...joined, program };
    }),
  );
  await eventually(() => expectOnline(clients, { namespace, count: AGENTS.length }), { withinMs: 60_000 });
  const history = await recordHistory(kube, { namespace, clock: systemClock });
  closing.push(history.close);
  return {
    ...{ namespace, databaseUrl, kube, clients, ledger, history, operator, facade, agents },
    agentOf: (uid) => {
      const agent = agents.find((one) => one.uid === uid);
      if (!agent) throw new Error(`no agent ${uid}`);
      return agent;
    },
    ways,
    url,
    tenant: createTenant(url),
    offeringId: `${namespace}/${OFFERING}`,
    treat: (next) => {
      treat = next;
    },
    startSecondOperator: async () => {
      const way = await openWay('operator-2');
      const program = await programs.operator('operator-2', way);
      closing.push(program.stop);
      return { program, way };
    },
  };
}
