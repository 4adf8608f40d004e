/** The balancer shows a client exactly the fault that was asked for, and the facade what really came. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { eventually } from '../../world/eventually.ts';
import { type AgentProxy, type CallFault, openAgentProxy } from './agent.ts';
import { facadeCallOf, type Route } from './facade-call.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A facade that answers 200 once for each signature, and 401 to a signature that it has seen. */
async function stage(fault: CallFault) {
  const came: string[] = [];
  const server = createServer((request, response) => {
    const signature = String(request.headers['signature']);
    response.writeHead(came.includes(signature) ? 401 : 200).end('{}');
    came.push(signature);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const proxy = await openAgentProxy();
  proxy.setFacades([`http://127.0.0.1:${(server.address() as AddressInfo).port}`]); // TCP, so it has a port
  proxy.decide(({ route }) => (route === 'heartbeat' ? fault : { type: 'Pass' }));
  closing.push(proxy.close, async () => void server.close());
  return { proxy, came };
}

const beat = ({ url }: AgentProxy): Promise<number> =>
  fetch(`${url}/api/v1/providers/p/heartbeat`, { method: 'POST', body: '{}', headers: { signature: 's1' } })
    .then(({ status }) => status)
    .catch(() => 0);

test.each<{ fault: CallFault; seen: number; came: number }>([
  { fault: { type: 'Pass' }, seen: 200, came: 1 },
  { fault: { type: 'Delay', ms: 50 }, seen: 200, came: 1 },
  { fault: { type: 'LoseRequest' }, seen: 0, came: 0 },
  { fault: { type: 'LoseReply' }, seen: 0, came: 1 },
  { fault: { type: 'Answer', status: 502 }, seen: 502, came: 0 },
  { fault: { type: 'AfterAnswer', run: async () => {}, reply: 'Lose' }, seen: 0, came: 1 },
])('$fault.type: the client sees $seen, $came came', async ({ fault, seen, came }) => {
  const world = await stage(fault);
  expect(await beat(world.proxy)).toBe(seen);
  expect(world.came).toHaveLength(came);
});

test('the same bytes arrive twice, and the second are refused', async () => {
  const { proxy, came } = await stage({ type: 'Duplicate', afterMs: 20 });
  expect(await beat(proxy)).toBe(200);
  await eventually(async () => expect(proxy.repeats()).toMatchObject([{ first: 200, second: 401 }]));
  expect(came).toEqual(['s1', 's1']);
});

test.each<[string, string, string, Route]>([
  ['POST', '/contracts/0123456789abcdef0123456789abcdef/lock', '{"observedEpoch":0}', 'claim'],
  ['POST', '/contracts/0123456789abcdef0123456789abcdef/lock', '{"epoch":1}', 'renew'],
  ['DELETE', '/contracts/0123456789abcdef0123456789abcdef/lock', '{"epoch":1}', 'release'],
  ['GET', '/work?wait=5', '', 'work'],
  ['POST', '/api/v1/contracts', '{}', 'rent'],
])('%s %s %s is %s', (method, path, body, route) => {
  const call = facadeCallOf({ n: 1, method, path, signatureInput: '', body: Buffer.from(body) });
  expect(call.route).toBe(route);
});
