/**
 * 50 agents race for 20 contracts over two facades that are processes of their own, 20 rounds: every contract has
 * exactly one winner, every loser a 409, epochs only rise. What protects it is the compare-and-swap on the API
 * server: the two processes share nothing.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { sign } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { contentDigest, REQUIRED_COMPONENTS, signatureBase } from '../../../lib/signature/base.ts';
import { privateKeyObject } from '../../../lib/signature/keys.ts';
import {
  joinAgent,
  type Market,
  makeOffering,
  makePool,
  mustLive,
  openMarket,
  providerPath,
  readContract,
  rentAccepted,
  type TestAgent,
  unique,
} from './harness.ts';

const AGENTS = 50;
const CONTRACTS = 20;
const ROUNDS = 20;
const ROOT = join(import.meta.dirname, '..', '..', '..');

let market: Market;
let agents: TestAgent[];
let ids: string[];
const facades: { process: ChildProcess; url: string }[] = [];

beforeAll(async () => {
  market = await openMarket({ withDatabase: true });
  const pool = await makePool(market);
  const offering = await makeOffering(market, { poolName: pool });
  agents = [];
  for (let i = 0; i < AGENTS; i++) agents.push(await joinAgent(market, pool));
  ids = [];
  for (let i = 0; i < CONTRACTS; i++) ids.push((await rentAccepted(market, offering)).id);
  facades.push(...(await Promise.all([startProcess(), startProcess()])));
});
afterAll(async () => {
  for (const { process } of facades) process.kill('SIGTERM');
  const codes = await Promise.all(facades.map(({ process }) => exitOf(process)));
  await market?.close();
  expect(codes).toEqual([0, 0]);
});

test(`${ROUNDS} rounds: one winner each, 409 for the rest, epochs only rise`, {
  timeout: 180_000,
}, async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const observedEpoch = 2 * round; // a grant raises it by one, giving up by one more
    const claims = agents.flatMap((agent) =>
      ids.map((id) => ({ agent, id, facade: facades[agents.indexOf(agent) % 2] })),
    );
    const answers = await Promise.all(
      claims.map(async ({ agent, id, facade }) => ({
        id,
        agent,
        ...(await call(facade?.url ?? '', {
          agent,
          method: 'POST',
          id,
          body: { ...sessionOf(agent), observedEpoch },
        })),
      })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 409]));
    for (const id of ids) {
      const winners = answers.filter((answer) => answer.id === id && answer.status === 200);
      expect(
        winners.map(({ agent }) => agent.name),
        `round ${round}, contract ${id}`,
      ).toHaveLength(1);
      const { status } = mustLive(await readContract(market, id));
      expect(status.lock).toMatchObject({ agent: winners[0]?.agent.name, epoch: observedEpoch + 1 });
      expect(status.holders).toEqual([
        { agent: winners[0]?.agent.name, agentUID: winners[0]?.agent.uid, epoch: observedEpoch + 1 },
      ]);
    }
    const winners = answers.filter(({ status }) => status === 200);
    await Promise.all(
      winners.map(({ agent, id }) =>
        call(facades[round % 2]?.url ?? '', {
          agent,
          method: 'DELETE',
          id,
          body: { ...sessionOf(agent), epoch: observedEpoch + 1 },
        }),
      ),
    );
  }
  for (const id of ids) expect(mustLive(await readContract(market, id)).status.epoch).toBe(2 * ROUNDS);
});

test('a clone with the same key never holds a lock beside its twin', async () => {
  const observedEpoch = 2 * ROUNDS;
  const claims = ids.flatMap((id, at) => {
    const agent = agents[at];
    if (!agent) throw new Error('there are more agents than contracts');
    const clone = { ...agent, session: `clone-${unique()}` };
    return [agent, clone].map((one, which) => ({ id, agent: one, facade: facades[(at + which) % 2] }));
  });
  const answers = await Promise.all(
    claims.map(async ({ id, agent, facade }) => ({
      id,
      agent,
      ...(await call(facade?.url ?? '', {
        agent,
        method: 'POST',
        id,
        body: { ...sessionOf(agent), observedEpoch },
      })),
    })),
  );
  for (const id of ids) {
    const granted = answers.filter((answer) => answer.id === id && answer.status === 200);
    expect(granted.length, id).toBeLessThanOrEqual(1);
    for (const { agent } of granted) expect(agent.session).not.toMatch(/^clone-/);
  }
});

const sessionOf = ({ session, incarnation }: TestAgent) => ({ session, incarnation });

type LockCall = Readonly<{ agent: TestAgent; method: 'POST' | 'DELETE'; id: string; body: object }>;

/** Signed natively: twenty thousand signatures are to cost little. */
async function call(base: string, { agent, method, id, body }: LockCall): Promise<{ status: number }> {
  const url = new URL(`${providerPath(market)}/contracts/${id}/lock`, base);
  const bytes = Buffer.from(JSON.stringify(body));
  const headers = { 'content-digest': contentDigest(bytes) };
  const components = [...REQUIRED_COMPONENTS, 'content-digest'];
  const list = components.map((component) => `"${component}"`).join(' ');
  const created = Math.floor(Date.now() / 1000);
  const params = `(${list});created=${created};nonce="${unique()}${unique()}";keyid="${agent.keys.publicKey}";alg="ed25519"`;
  const base64 = sign(
    null,
    Buffer.from(
      signatureBase(
        { method, authority: url.host, path: url.pathname, query: '?', headers },
        { components, params },
      ) ?? '',
    ),
    keyOf(agent),
  ).toString('base64');
  const answer = await fetch(url, {
    method,
    headers: {
      ...headers,
      'content-type': 'application/json',
      'signature-input': `sig1=${params}`,
      signature: `sig1=:${base64}:`,
    },
    body: bytes,
  });
  await answer.arrayBuffer();
  return { status: answer.status };
}

const keys = new Map<string, ReturnType<typeof privateKeyObject>>();
function keyOf({ keys: { seed } }: TestAgent): ReturnType<typeof privateKeyObject> {
  const key = keys.get(seed) ?? privateKeyObject(seed);
  keys.set(seed, key);
  return key;
}

async function startProcess(): Promise<{ process: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [join(ROOT, 'api', 'main.ts')], {
    env: {
      PATH: process.env['PATH'] ?? '',
      PORT: '0',
      KUBECONFIG: inject('kubeconfig'),
      INSTALLATION_NAMESPACE: market.namespace,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const { url } = JSON.parse(line) as { url?: string };
    if (url) {
      child.stdout.resume();
      return { process: child, url };
    }
  }
  throw new Error('the facade ended before it listened');
}

const exitOf = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => {
    if (child.exitCode !== null) resolve(child.exitCode);
    else child.once('exit', resolve);
  });
