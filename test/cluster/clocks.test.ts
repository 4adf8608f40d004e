/**
 * Facades on one API server whose clocks are ten minutes fast, slow, or jump. The load balancer leaves them out;
 * here they are asked all the same, and nothing is granted twice, freed early or got by the back door.
 */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { readConfig } from '../../api/config.ts';
import { type Facade, startFacade } from '../../api/facade.ts';
import { expireLock } from '../../crds/contract/steps.ts';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { createLogger } from '../../lib/log.ts';
import {
  type Call,
  caller,
  eventually,
  heartbeat,
  joinAgent,
  type Market,
  makeOffering,
  makePool,
  moveContract,
  openMarket,
  providerPath,
  readContract,
  rentAccepted,
  type TestAgent,
} from './api/harness.ts';

const TEN_MINUTES_MS = 600_000;
type Ask = Readonly<{ name: string; call: Call; clock: { offsetMs: number } }>;

let market: Market;
let pool: string;
let offering: string;
const facades: Facade[] = [];
let right: Ask;
let fast: Ask;
let slow: Ask;
beforeAll(async () => {
  market = await openMarket();
  pool = await makePool(market);
  offering = await makeOffering(market, { poolName: pool });
  right = { name: 'right', call: market.call, clock: { offsetMs: 0 } };
  [fast, slow] = [await begin('fast', TEN_MINUTES_MS), await begin('slow', -TEN_MINUTES_MS)];
});
afterAll(async () => {
  await Promise.all(facades.map((facade) => facade.stop()));
  await market.close();
});

/** A facade beside the market's; its wall clock can be set, as NTP or a person does. */
async function begin(name: string, offsetMs: number): Promise<Ask> {
  const wall = { offsetMs };
  const clock: Clock = {
    ...systemClock,
    now: () => new Date(systemClock.now().getTime() + wall.offsetMs),
  };
  const facade = await startFacade({
    config: readConfig({
      PORT: '0',
      INSTALLATION_NAMESPACE: market.namespace,
      DATABASE_URL: market.databaseUrl,
      HEAD_START_SECONDS: '0',
    }),
    kubeconfig: { file: inject('kubeconfig') },
    clock,
    log: createLogger({ name: name, level: 'fatal' }),
    signal: new AbortController().signal,
  });
  facades.push(facade);
  const call = caller(facade.url);
  await eventually(async () => (await call('GET', providerPath(market))).data?.ready === true);
  return { name, call, clock: wall };
}

const path = (id: string, rest: string): string => `${providerPath(market)}/contracts/${id}/${rest}`;
const speaker = ({ session, incarnation }: TestAgent) => ({ session, incarnation });
const claim = ({ call }: Ask, agent: TestAgent, id: string, observedEpoch = 0) =>
  call('POST', path(id, 'lock'), { key: agent.keys, body: { ...speaker(agent), observedEpoch } });
const renew = ({ call }: Ask, agent: TestAgent, id: string) =>
  call('POST', path(id, 'lock'), { key: agent.keys, body: { ...speaker(agent), epoch: 1 } });

/** Of a claim, once the facade has heard how the contract stands. */
async function refusal(ask: Ask, agent: TestAgent, id: string, epoch: number | undefined): Promise<string> {
  let said = '';
  await eventually(async () => {
    const { body } = await claim(ask, agent, id, epoch);
    said = `${body.code} ${body.detail}`;
    return body.code !== 'StaleEpoch' && body.code !== 'LockHeld';
  });
  return said;
}

test('only the facade whose clock is right is ready', async () => {
  expect((await right.call('GET', '/readyz')).status).toBe(200);
  for (const { call } of [fast, slow]) {
    const answer = await call('GET', '/readyz');
    expect(answer).toMatchObject({ status: 503, body: { code: 'NotReady' } });
    expect(answer.body.detail).toMatch(/(600|601|599) s off/);
  }
});

describe('asked all the same', () => {
  test('they grant a contract once, and for its true time', async () => {
    const agents = await Promise.all([0, 1, 2].map(() => joinAgent(market, pool)));
    for (let round = 0; round < 5; round++) {
      const { id } = await rentAccepted(market, offering);
      const asks = [right, fast, slow].map((ask, index) => ({ ask, agent: agents[index] as TestAgent }));
      const before = Date.now();
      const answers = await Promise.all(asks.map(({ ask, agent }) => claim(ask, agent, id)));
      expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409]);
      const { status } = await readContract(market, id);
      expect(status?.holders).toHaveLength(1);
      expect(Math.abs(Date.parse(status?.lock?.acquiredAt ?? '') - before)).toBeLessThan(5000);
      expect(answers.find((answer) => answer.status === 200)?.data.expiresInMs).toBe(300_000);
    }
  });

  test('a renewal neither shortens nor stretches a lock that another one granted', async () => {
    const agent = await joinAgent(market, pool);
    const { id } = await rentAccepted(market, offering);
    expect((await claim(right, agent, id)).status).toBe(200);
    for (const ask of [fast, slow, right]) {
      expect((await renew(ask, agent, id)).data).toMatchObject({ acquired: true, expiresInMs: 300_000 });
      const lock = (await readContract(market, id)).status?.lock;
      expect(Math.abs(Date.parse(lock?.expiresAt ?? '') - Date.now() - 300_000)).toBeLessThan(5000);
    }
    const other = await joinAgent(market, pool);
    for (const ask of [fast, slow]) expect((await claim(ask, other, id, 1)).body.code).toBe('LockHeld');
  });

  test('the back-off after a failure lasts for all of them', async () => {
    const agent = await joinAgent(market, pool);
    const { id } = await rentAccepted(market, offering);
    await claim(slow, agent, id);
    await fast.call('POST', path(id, 'failed'), {
      key: agent.keys,
      body: { ...speaker(agent), epoch: 1, errorMessage: 'it broke' },
    });
    const status = (await readContract(market, id)).status;
    expect(status).toMatchObject({ phase: 'Accepted', failures: 1 });
    for (const ask of [right, fast, slow])
      expect(await refusal(ask, agent, id, status?.epoch), ask.name).toMatch(/^NotEligible .* not before /);
  });

  test('after an expiry who held goes first, also where the clock says that it is long silent', async () => {
    const [holder, thief] = [await joinAgent(market, pool), await joinAgent(market, pool)];
    const { id } = await rentAccepted(market, offering);
    expect((await claim(right, holder, id)).status).toBe(200);
    await moveContract(market, id, (_status, contract) => expireLock(contract, { now: new Date() }));
    for (const ask of [fast, slow, right])
      expect(await refusal(ask, thief, id, 1), ask.name).toMatch(/^NotEligible .* go first until /);
    expect((await claim(fast, holder, id, 1)).data).toMatchObject({ acquired: true, epoch: 2 });
  });

  test('absence is confirmed only when the process before was truly silent', async () => {
    const agent = await joinAgent(market, pool);
    const { id } = await rentAccepted(market, offering);
    await claim(right, agent, id);
    const restarted = { ...agent, session: `${agent.session}-2`, incarnation: 2 };
    expect((await heartbeat(market, restarted)).status).toBe(200);
    for (const { call, name } of [fast, slow, right]) {
      const body = { ...speaker(restarted), epoch: 1 };
      const answers = [
        await call('PUT', path(id, 'terminated'), { key: agent.keys, body }),
        await call('DELETE', path(id, 'lock'), { key: agent.keys, body }),
      ];
      expect(
        answers.map(({ body: said }) => said.code),
        name,
      ).toEqual(Array(2).fill('AbsenceNotYetCertain'));
    }
  });

  test('a clone is none the less a clone', async () => {
    const agent = await joinAgent(market, pool);
    expect((await heartbeat(market, agent, { fingerprint: 'machine-1' })).status).toBe(200);
    const clone = { session: 'session-of-the-clone', incarnation: 9, fingerprint: 'machine-2' };
    const body = { version: '1.0.0', provisionerType: 'script', activeContracts: 0, ...clone };
    for (const { call, name } of [fast, slow])
      expect(
        (await call('POST', `${providerPath(market)}/heartbeat`, { key: agent.keys, body })).body.code,
        name,
      ).toBe('DuplicateAgent');
  });
});

test('a clock that jumps by ten minutes while its facade runs changes nothing', async () => {
  const jumping = await begin('jumping', 0);
  const agent = await joinAgent(market, pool);
  const { id } = await rentAccepted(market, offering);
  expect((await claim(jumping, agent, id)).status).toBe(200);
  for (const offsetMs of [TEN_MINUTES_MS, -TEN_MINUTES_MS, 0]) {
    jumping.clock.offsetMs = offsetMs;
    expect((await renew(jumping, agent, id)).data).toMatchObject({ acquired: true });
    const renewedAt = (await readContract(market, id)).status?.lock?.renewedAt ?? '';
    expect(Math.abs(Date.parse(renewedAt) - Date.now())).toBeLessThan(5000);
  }
});
