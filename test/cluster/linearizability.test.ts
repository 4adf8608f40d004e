/**
 * Nine agents call about one contract at once, over two facade processes, with right and wrong epochs, and do not
 * wait for some answers; then again with another contract. One of the facades hears of everything late and loses
 * some replies of the API server. Whatever was answered must be what the rules would have answered to the same
 * calls one after the other: without the resourceVersion in the write, or without a live read before a final
 * answer, it is not.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Agent } from '../../crds/agent.ts';
import type { AgentPool } from '../../crds/agent-pool.ts';
import { type Contract, isLive } from '../../crds/contract/contract.ts';
import { createKubeClient, type KubeClient } from '../../kube/client.ts';
import { systemClock } from '../../lib/clock.ts';
import { type ApiServerProxy, openApiServerProxy } from '../faults/proxy/api-server.ts';
import { createDatabase, inNamespace, type TestDatabase } from '../world/cluster.ts';
import { eventually } from '../world/eventually.ts';
import { type Answer, createCallers, type Facade, type Facades, startFacades } from '../world/facades.ts';
import { idOf, POOL, resourceOf, type Stage, setStage } from '../world/market.ts';
import { judgeHistory, type Operation } from './linearizable.ts';
import {
  type Call,
  externalIdOf,
  gistOf,
  KINDS,
  type Kind,
  lockModel,
  mayBeAboutThePast,
  type Said,
} from './lock-model.ts';

const AGENTS = 9;
const CALLS_EACH = 4;
const CONTRACTS = 12;
const LOST_SHARE = 0.15;
const LOST_AFTER_MS = 25;
/** How late the second facade hears, and how many of its writes seem to fail. */
const LAG_MS = 150;
const LOST_WRITES_SHARE = 0.05;
/** What agents do most is what races most. */
const MIX: readonly Kind[] = [...KINDS, 'claim', 'claim', 'release', 'release', 'renew'];

let client: KubeClient;
let database: TestDatabase;
let proxy: ApiServerProxy;
let facades: readonly Facades[];
let stage: Stage;
let agents: readonly Agent[];
const folder = mkdtempSync(join(tmpdir(), 'dcmarket-history-'));
const callers = createCallers(64);
const actors = Array.from({ length: AGENTS }, () => callers.caller());
const sessionOf = (agent: number): string => `session-${agent}`;

beforeAll(async () => {
  client = createKubeClient({ kubeconfig: { file: inject('kubeconfig') } });
  database = await createDatabase();
  const namespace = await inNamespace('history');
  stage = await setStage(client, namespace);
  agents = await stage.addAgents(actors.map(({ key }) => key));
  const env = { databaseUrl: database.url, namespace };
  proxy = await openApiServerProxy(inject('kubeconfig'));
  proxy.decide(({ verb }) => (verb === 'watch' ? { type: 'WatchLag', ms: LAG_MS } : { type: 'Pass' }));
  const behindProxy = join(folder, 'kubeconfig');
  writeFileSync(behindProxy, proxy.kubeconfigText);
  facades = await Promise.all([
    startFacades(1, { ...env, kubeconfig: inject('kubeconfig') }),
    startFacades(1, { ...env, kubeconfig: behindProxy }),
  ]);
  await Promise.all(actors.map((_, agent) => eventually(() => heartbeat(agent))));
});
afterAll(async () => {
  await callers.close();
  await Promise.all(facades.map(({ close }) => close()));
  await proxy.close();
  rmSync(folder, { recursive: true, force: true });
  await database.drop();
  await client.close();
});

test(`${AGENTS} agents, ${CONTRACTS} contracts, 2 facades, lost answers: each history is linearizable`, async () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
  const random = mulberry32(seed);
  const pool = await resourceOf<AgentPool>(client, 'AgentPool').get({
    namespace: stage.namespace,
    name: POOL,
  });
  if (!pool) throw new Error('the stage has no pool');
  const contracts = await stage.addWaiting(CONTRACTS, 'history');
  const chance = mulberry32(seed + 1);
  proxy.decide(({ verb, subresource }) => {
    if (verb === 'watch') return { type: 'WatchLag', ms: LAG_MS };
    return subresource === 'status' && chance() < LOST_WRITES_SHARE
      ? { type: 'LoseReply' }
      : { type: 'Pass' };
  });
  let grants = 0;
  let lost = 0;
  for (const contract of contracts) {
    if (!isLive(contract)) throw new Error('a waiting contract has a status');
    const now = systemClock.now();
    const history = await recordHistory(contract, random);
    const cast = { agents, session: sessionOf, pool, now };
    const judged = judgeHistory(lockModel(contract, cast), history);
    expect(judged.linearizable, story({ seed, contract, judged })).toBe(true);
    grants += history.filter(({ output }) => output?.['acquired'] === true).length;
    lost += history.filter(({ output }) => output === undefined).length;
  }
  expect(grants).toBeGreaterThan(CONTRACTS); // else it has tested nothing
  expect(lost).toBeGreaterThan(0);
});

/** All agents at once, each one call after the other. */
async function recordHistory(
  contract: Contract,
  random: () => number,
): Promise<readonly Operation<Call, Said>[]> {
  const history: Operation<Call, Said>[] = [];
  const underWay: Promise<unknown>[] = [];
  let newest = contract.status?.epoch ?? 0;
  const act = async (agent: number): Promise<void> => {
    let granted = 0;
    for (let n = 0; n < CALLS_EACH; n++) {
      const kind = n === 0 ? 'claim' : pick(MIX, random);
      const epoch =
        kind === 'claim' ? pick([undefined, newest], random) : pick([granted, granted, newest], random);
      const call: Call = { kind, agent, epoch };
      const calledAt = performance.now();
      // Any facade: the one that has not heard yet of what the other has just answered.
      const answering = send(contract, { call, facade: facadeOf(Math.floor(2 * random())) });
      underWay.push(answering.catch(() => undefined));
      const patience = random() < LOST_SHARE ? systemClock.sleep(random() * LOST_AFTER_MS) : undefined;
      const answer = await Promise.race([answering, ...(patience ? [patience] : [])]);
      const output = answer ? saidOf(answer) : undefined;
      const answeredAt = performance.now();
      if (output === 'NothingHappened') continue;
      const isOfThePast = output !== undefined && mayBeAboutThePast(call, output);
      history.push({ input: call, output, calledAt: isOfThePast ? -Infinity : calledAt, answeredAt });
      if (output?.['acquired'] === true) granted = Number(output['epoch']);
      newest = Math.max(newest, granted);
    }
  };
  await Promise.all(actors.map((_, agent) => act(agent)));
  await Promise.all(underWay); // a call that nobody waits for must not disturb the next contract
  return history;
}

/** Undefined: nobody knows whether it happened. */
function saidOf({ status, body }: Answer): Said | 'NothingHappened' | undefined {
  const { code, data } = body as { code?: string; data?: object }; // the facade's own envelope
  if (status === 200) return gistOf(data ?? {});
  if (status >= 500 || status === 429) return undefined;
  if (code === 'Conflict' && data === undefined) return 'NothingHappened'; // too many lost races in a row
  return { code };
}

function send(
  contract: Contract,
  { call, facade }: Readonly<{ call: Call; facade: Facade }>,
): Promise<Answer> {
  const { kind, agent, epoch } = call;
  const path = `/api/v1/providers/${stage.provider.publicKey}/contracts/${idOf(contract)}`;
  const session = sessionOf(agent);
  const process = { session, incarnation: 1 };
  const actor = actors[agent];
  if (!actor) throw new Error(`there is no agent ${agent}`);
  const ask = (method: 'POST' | 'PUT' | 'DELETE', end: string, body: object): Promise<Answer> =>
    actor.call(facade, { method, path: `${path}/${end}`, body });
  switch (kind) {
    case 'claim':
      return ask('POST', 'lock', { ...process, ...(epoch === undefined ? {} : { observedEpoch: epoch }) });
    case 'renew':
      return ask('POST', 'lock', { ...process, epoch });
    case 'release':
      return ask('DELETE', 'lock', { ...process, epoch });
    case 'provisioned':
      return ask('POST', 'provisioned', {
        ...{ epoch, session, instanceDetails: { externalId: externalIdOf(call), sshPort: 22 } },
      });
    case 'failed':
      return ask('POST', 'failed', { epoch, session, errorMessage: 'x', class: 'transient' });
    case 'terminated':
      return ask('PUT', 'terminated', { ...process, epoch });
  }
}

async function heartbeat(agent: number): Promise<void> {
  const body = {
    ...{ version: '1.0.0', provisionerType: 'script', activeContracts: 0 },
    ...{ session: sessionOf(agent), incarnation: 1 },
  };
  const path = `/api/v1/providers/${stage.provider.publicKey}/heartbeat`;
  const answer = await actors[agent]?.call(facadeOf(agent), { method: 'POST', path, body });
  expect(answer).toMatchObject({ status: 200 });
}

function facadeOf(index: number): Facade {
  const facade = facades[index % 2]?.all[0];
  if (!facade) throw new Error('no facade');
  return facade;
}

type Told = Readonly<{
  seed: number;
  contract: Contract;
  judged: ReturnType<typeof judgeHistory<unknown, Call, Said>>;
}>;

/** What a failure prints: the order that could be explained, and where no further step fits. */
function story({ seed, contract, judged }: Told): string {
  const line = ({ input, output, calledAt, answeredAt }: Operation<Call, Said>): string =>
    `${calledAt.toFixed(1)}–${answeredAt.toFixed(1)} agent-${input.agent} ${input.kind} ${input.epoch ?? ''}: ${JSON.stringify(output ?? 'lost')}`;
  const lines = [`SEED=${seed}, ${contract.metadata.name}`, ...judged.order.map(line)];
  if (!judged.linearizable)
    lines.push(
      'and then none of:',
      ...judged.stuck.map(({ operation, expected }) => `${line(operation)}, but ${JSON.stringify(expected)}`),
    );
  return lines.join('\n');
}

const pick = <T>(from: readonly T[], random: () => number): T => {
  const item = from[Math.floor(random() * from.length)];
  return item as T; // the index is within the list, which is not empty
};

/** A small generator, so that a seed gives the same calls again; how they interleave is up to the machine. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
