/** One installation with faults between all of its parts: a provider, an operator, two facades, one PostgreSQL. */
import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { type Clients, createClients } from '../../../api/clients.ts';
import { installationOf } from '../../../api/installation.ts';
import { createKubeClient } from '../../../kube/client.ts';
import type { Clock } from '../../../lib/clock.ts';
import { generateKeyPair, type KeyPair } from '../../../lib/signature/keys.ts';
import { type FlakyProxy, openFlakyProxy } from '../../../store/flaky-proxy.ts';
import { createStore } from '../../../store/store.ts';
import { createDatabase } from '../../world/cluster.ts';
import { eventually } from '../../world/eventually.ts';
import { createLedger, type Ledger } from '../ledger/ledger.ts';
import { type History, recordHistory } from '../oracles/history.ts';
import { type AgentProxy, type CallFault, openAgentProxy } from '../proxy/agent.ts';
import type { Exchange, Fault } from '../proxy/api-server.ts';
import type { FacadeCall } from '../proxy/facade-call.ts';
import { patientClock } from './patient-clock.ts';
import {
  type LeaseLength,
  type Program,
  quietLog,
  type Setting,
  startFacadeProgram,
  startOperator,
} from './programs.ts';

/** Minutes of the rules become seconds; every wait keeps its place among the others. */
export const TIMES = 10;

/** What a scenario may say to a request that is about it; undefined: nothing to say. */
export type Rules = Readonly<{
  apiServer: (from: 'operator' | 'facade', exchange: Exchange) => Fault | undefined;
  facade: (call: FacadeCall) => CallFault | undefined;
}>;

export type Stage = Readonly<{
  namespace: string;
  clock: Clock;
  provider: KeyPair;
  installation: string;
  clients: Clients;
  ledger: Ledger;
  history: History;
  proxy: AgentProxy;
  postgres: FlakyProxy;
  /** All rules are asked in order; the first that has something to say decides. Answers how to take it back. */
  addRules: (rules: Rules) => () => void;
  operators: Program[];
  facades: Program[];
  /** Ends one (see Program) and starts another in its place. */
  replace: (what: 'operator' | 'facade', how: 'Kill' | 'Stop') => Promise<void>;
  close: () => Promise<void>;
}>;

export type StageOptions = Readonly<{
  /** Another than the cluster that the run shares: file of an administrator. */
  kubeconfig?: string;
  /** More than one: the others stand by. Default 1. */
  operators?: number;
  /** Of the leader; Short where leaders change. Default Long. */
  lease?: LeaseLength;
}>;

export async function openStage(
  name: string,
  { operators: count = 1, lease = 'Long', kubeconfig = inject('kubeconfig') }: StageOptions = {},
): Promise<Stage> {
  const clock = patientClock(TIMES);
  const [database, proxy] = await Promise.all([createDatabase(), openAgentProxy(clock)]);
  const postgres = await openFlakyProxy(database.url);
  await migrate(database.url, clock);
  const client = createKubeClient({ kubeconfig: { file: kubeconfig }, clock });
  const clients = createClients(client);
  const namespace = `${name}-${randomBytes(4).toString('hex')}`;
  await clients.namespaces.create({ metadata: { name: namespace } });
  const { id: installation } = await installationOf({ clients, namespace })();
  const provider = await addProvider(clients, namespace);
  const history = await recordHistory(client, { namespace, clock });
  const rules = new Set<Rules>();
  const setting: Setting = {
    namespace,
    clock,
    databaseUrl: postgres.url,
    authority: proxy.authority,
    lease,
    kubeconfig,
    rule: (from, exchange) => firstOf(rules, (one) => one.apiServer(from, exchange)) ?? { type: 'Pass' },
  };
  proxy.decide((call) => firstOf(rules, (one) => one.facade(call)) ?? { type: 'Pass' });
  let started = 0;
  const starting = {
    operator: () => startOperator(setting, `operator-${started++}`),
    facade: () => startFacadeProgram(setting, `facade-${started++}`),
  };
  const operators: Program[] = [];
  const facades: Program[] = [];
  const running = { operator: operators, facade: facades };
  const balance = (): void => proxy.setFacades(facades.flatMap(({ url }) => (url ? [url] : [])));
  operators.push(...(await Promise.all(Array.from({ length: count }, starting.operator))));
  facades.push(...(await Promise.all([starting.facade(), starting.facade()])));
  balance();
  await eventually(async () => {
    const { status } = (await clients.providers.get({ name: namespace })) ?? {};
    if (!status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'))
      throw new Error('the provider is not Ready');
  });
  return {
    ...{ namespace, clock, provider, installation, clients, history, proxy, postgres, operators, facades },
    ledger: createLedger({ clock }),
    addRules: (rule) => {
      rules.add(rule);
      return () => void rules.delete(rule);
    },
    replace: async (what, how) => {
      const gone = running[what].shift();
      balance();
      if (how === 'Kill') gone?.kill();
      else await gone?.stop();
      running[what].push(await starting[what]());
      balance();
    },
    close: async () => {
      await Promise.all([...operators, ...facades].map((program) => program.stop()));
      await history.close();
      await Promise.all([proxy.close(), postgres.close(), client.close()]);
      await database.drop();
      clock.stop();
    },
  };
}

function firstOf<R, A>(rules: ReadonlySet<R>, ask: (rule: R) => A | undefined): A | undefined {
  for (const rule of rules) {
    const said = ask(rule);
    if (said !== undefined) return said;
  }
  return undefined;
}

async function migrate(databaseUrl: string, clock: Clock): Promise<void> {
  const store = createStore({ databaseUrl, clock, log: quietLog('migrate') });
  await store.migrate();
  await store.close();
}

async function addProvider(clients: Clients, namespace: string): Promise<KeyPair> {
  const keys = generateKeyPair();
  await clients.providers.create({
    metadata: { name: namespace },
    spec: {
      publicKey: keys.publicKey,
      displayName: namespace,
      namespace,
      acceptance: { mode: 'Automatic' },
    },
  });
  return keys;
}
