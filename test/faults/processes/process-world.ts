/**
 * The market as processes, for one test: a provider with a pool, an offering and two agents, each agent with a
 * hypervisor of its own that has a stranger's machine on it too. Operator and facade reach the API server and
 * PostgreSQL only through proxies that see every write.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clients, createClients } from '../../../api/clients.ts';
import { tailOf } from '../../../dev/processes/log-tail.ts';
import { createKubeClient, type KubeClient } from '../../../kube/client.ts';
import { systemClock } from '../../../lib/clock.ts';
import type { KeyPair } from '../../../lib/signature/keys.ts';
import { eventually } from '../../world/eventually.ts';
import type { Treat } from '../ledger/behaviour.ts';
import { createLedger, type Ledger } from '../ledger/ledger.ts';
import { type LedgerServer, startLedgerServer } from '../ledger/server.ts';
import { createSshDoors } from '../ledger/ssh-doors.ts';
import { type History, recordHistory } from '../oracles/history.ts';
import { type ApiServerProxy, openApiServerProxy } from '../proxy/api-server.ts';
import { openPostgresProxy, type PostgresProxy } from '../proxy/postgres.ts';
import { joinAgent } from './agent-setup.ts';
import type { Program } from './program.ts';
import { createPrograms, type Programs, stablePort, type Way } from './programs.ts';
import { expectOnline, makeSupply, OFFERING, POOL } from './supply.ts';
import { caller, createTenant, insist, type Tenant } from './tenant.ts';

export const AGENTS = ['agent-1', 'agent-2'] as const;
export type AgentName = (typeof AGENTS)[number];
export const STRANGER = 'somebody-elses';
const START_MS = 60_000;

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
  /** Short: an operator that was killed is followed after four seconds. */
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
  const folder = join(options.folder, options.namespace);
  mkdirSync(folder, { recursive: true });
  try {
    const opening: Opening = { ...options, folder, cacheFolder: join(options.folder, 'compiled'), closing };
    return { ...(await open(opening)), close };
  } catch (error) {
    const logs = programLogs(folder);
    await close();
    throw new Error(`${String(error)}${logs}`, { cause: error });
  }
}

/** Folder: of this world. What is pushed to `closing` is closed last first. */
type Opening = ProcessWorldOptions & Readonly<{ cacheFolder: string; closing: (() => Promise<unknown>)[] }>;

async function open(options: Opening): Promise<Omit<ProcessWorld, 'close'>> {
  const { kubeconfig, namespace, databaseUrl, lockTtlSeconds = 5, leaderLease = 'Short', closing } = options;
  const kube = createKubeClient({ kubeconfig: { file: kubeconfig }, userAgent: 'process-world' });
  closing.push(kube.close);
  const clients = createClients(kube);
  const hypervisors = await openHypervisors(options);
  const ways = { operator: await openWay(options, 'operator'), facade: await openWay(options, 'facade') };
  const provider = await makeSupply(clients, { namespace, lockTtlSeconds });
  const port = await stablePort();
  const url = `http://127.0.0.1:${port}`;
  const programs = createPrograms({
    folders: { run: options.runFolder, logs: logsOf(options.folder) },
    ...{ namespace, leaderLease, cacheFolder: options.cacheFolder },
  });
  const [operator, facade] = await Promise.all([
    programs.operator('operator', ways.operator),
    programs.facade({ ...ways.facade, port }),
  ]);
  closing.push(operator.stop, facade.stop);
  await eventually(() => expectReady(url, provider), { withinMs: START_MS });
  const agents = await Promise.all(
    AGENTS.map((name) => startAgent(options, { name, url, provider, programs, hypervisors })),
  );
  await eventually(() => expectOnline(clients, { namespace, count: AGENTS.length }), { withinMs: START_MS });
  const history = await recordHistory(kube, { namespace, clock: systemClock });
  closing.push(history.close);
  return {
    ...{ namespace, databaseUrl, kube, clients, history, operator, facade, agents, ways, url },
    ledger: hypervisors.ledger,
    treat: hypervisors.treat,
    agentOf: (uid) => {
      const agent = agents.find((one) => one.uid === uid);
      if (!agent) throw new Error(`no agent ${uid}`);
      return agent;
    },
    tenant: createTenant(url),
    offeringId: `${namespace}/${OFFERING}`,
    startSecondOperator: async () => {
      const way = await openWay(options, 'operator-2');
      const program = await programs.operator('operator-2', way);
      closing.push(program.stop);
      return { program, way };
    },
  };
}

type Hypervisors = Readonly<{
  ledger: Ledger;
  environment: LedgerServer['environment'];
  treat: (treat: Treat) => void;
}>;

async function openHypervisors({ closing }: Opening): Promise<Hypervisors> {
  const clock = systemClock;
  const ledger = createLedger({ clock });
  const doors = createSshDoors(ledger);
  closing.push(doors.close);
  let treat: Treat = () => undefined;
  const server = await startLedgerServer({ ledger, doors, clock, treat: (call) => treat(call) });
  closing.push(server.close);
  const { environment } = server;
  return {
    ledger,
    environment,
    treat: (next) => {
      treat = next;
    },
  };
}

async function openWay(
  { kubeconfig, databaseUrl, folder, closing }: Opening,
  name: string,
): Promise<SeenWay> {
  const apiServer = await openApiServerProxy(kubeconfig);
  closing.push(apiServer.close);
  const postgres = await openPostgresProxy(databaseUrl);
  closing.push(postgres.close);
  const file = join(folder, `${name}.kubeconfig`);
  writeFileSync(file, apiServer.kubeconfigText);
  return { apiServer, postgres, kubeconfig: file, databaseUrl: postgres.url };
}

const providerPath = ({ publicKey }: KeyPair): string => `/api/v1/providers/${publicKey}`;

async function expectReady(url: string, provider: KeyPair): Promise<void> {
  const { data, body } = await caller(url)('GET', providerPath(provider), {});
  if (data?.ready !== true) throw new Error(`the provider is not ready: ${JSON.stringify(body)}`);
}

type Joining = Readonly<{
  name: AgentName;
  url: string;
  provider: KeyPair;
  programs: Programs;
  hypervisors: Hypervisors;
}>;

async function startAgent(
  { folder, closing }: Opening,
  { name, url, provider, programs, hypervisors }: Joining,
): Promise<Agent> {
  const tokens = `${providerPath(provider)}/pools/${POOL}/setup-tokens`;
  const options = { key: provider, body: { label: name } };
  const { token } = await insist(caller(url), 'POST', tokens, options);
  const environment = hypervisors.environment(name);
  const config = join(folder, name, 'config.toml');
  const joined = await joinAgent({ config, url, token, name, environment });
  hypervisors.ledger.addStranger(name, STRANGER);
  const program = await programs.agent(name, { config, environment });
  closing.push(program.stop);
  return { name, ...joined, program };
}

const logsOf = (folder: string): string => join(folder, 'logs');

/** The end of each log, for whoever wonders why a world did not open. */
function programLogs(folder: string): string {
  if (!existsSync(logsOf(folder))) return '';
  const files = readdirSync(logsOf(folder));
  return files.map((file) => `\n${file}${tailOf(join(logsOf(folder), file))}`).join('');
}
