/** Agents of a test: they have joined by the routes, and say only what the test says. */
import { randomUUID } from 'node:crypto';
import { generateKeyPair, type KeyPair } from '../../../lib/signature/keys.ts';
import type { Answer } from './calls.ts';
import { type Market, providerPath } from './market.ts';

export async function makeToken(market: Market, pool: string, label?: string): Promise<string> {
  const { data } = await market.call('POST', `${providerPath(market)}/pools/${pool}/setup-tokens`, {
    key: market.provider,
    body: label ? { label } : {},
  });
  return data.token;
}

export type TestAgent = Readonly<{
  keys: KeyPair;
  session: string;
  incarnation: number;
  name: string;
  uid: string;
}>;

/** One of the reference protocol: it has no session, and is judged by its key alone. */
export const joinReferenceAgent = (market: Market, pool: string): Promise<TestAgent> =>
  join(market, pool, async (agent) =>
    market.call('POST', `${providerPath(market)}/heartbeat`, {
      key: agent.keys,
      body: { version: '0.9.0', provisionerType: 'script', activeContracts: 0 },
    }),
  );

/** An agent that has joined and sent its first heartbeat. */
export const joinAgent = (market: Market, pool: string): Promise<TestAgent> =>
  join(market, pool, (agent) => heartbeat(market, agent));

async function join(
  market: Market,
  pool: string,
  greet: (agent: TestAgent) => Promise<Answer>,
): Promise<TestAgent> {
  const keys = generateKeyPair();
  const token = await makeToken(market, pool);
  const { data, body } = await market.call('POST', '/api/v1/agents/setup', {
    key: keys,
    body: { token, agentPubkey: keys.publicKey },
  });
  if (!data) throw new Error(JSON.stringify(body));
  const agent = { keys, session: randomUUID(), incarnation: 1, name: data.agentName, uid: data.agentUid };
  const beat = await greet(agent);
  if (beat.status !== 200) throw new Error(JSON.stringify(beat.body));
  return agent;
}

export const heartbeat = (
  market: Market,
  { keys, session, incarnation }: TestAgent,
  more: object = {},
): Promise<Answer> =>
  market.call('POST', `${providerPath(market)}/heartbeat`, {
    key: keys,
    body: { version: '1.0.0', provisionerType: 'script', session, incarnation, activeContracts: 0, ...more },
  });
