import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aContract, aHolder, aPool, at, NOON, someTerms, uidOf } from '../contract/builders.ts';
import type { LiveContract } from '../contract/contract.ts';
import { placeIn, someAgent, type World } from './builders.ts';
import { loadOf } from './load.ts';
import { type Placement, whyNot } from './place.ts';
import { contracts, siblings, worlds } from './random-world.ts';
import { CAUSE_OF } from './reasons.ts';
import { prepareSupply } from './supply.ts';

const anywhere = (
  check: (
    placement: Placement,
    given: { world: World; contract: LiveContract; siblings: LiveContract[] },
  ) => void,
) =>
  fc.assert(
    fc.property(worlds, contracts, siblings, (world, contract, others) => {
      const placement = placeIn(world, contract, { now: NOON, siblings: others });
      check(placement, { world, contract, siblings: others });
    }),
    { numRuns: 200 },
  );
/** Without the instant that it was asked at, and what is remembered of the past. */
const answer = ({ nowMs, againAtMs, ...rest }: Placement) => rest;

describe('whatever the market looks like', () => {
  test('every pool and every agent is a choice or has a reason, once', () =>
    anywhere(({ candidates, passedOver }, { world }) => {
      const { pools = [], agents = [] } = world;
      const told = [...candidates, ...passedOver].flatMap(({ agent }) => agent ?? []);
      expect(new Set(told).size).toBe(told.length);
      const whole = new Set(passedOver.flatMap(({ pool, agent }) => (agent === undefined ? pool : [])));
      for (const { agent } of agents)
        expect(told.includes(agent.metadata.name), agent.metadata.name).toBe(!whole.has(agent.spec.poolName));
      for (const { metadata } of pools)
        expect([...candidates, ...passedOver].some(({ pool }) => pool === metadata.name)).toBe(true);
    }));

  test('a choice is online, free to work, has room, and nobody is wished apart from', () =>
    anywhere(({ candidates }, { world, contract, siblings }) => {
      const apart = contract.spec.antiAffinity?.mode === 'Required';
      for (const { agentUID, pool } of candidates) {
        const facts = world.agents?.find(({ agent }) => agent.metadata.uid === agentUID);
        const home = world.pools?.find(({ metadata }) => metadata.name === pool);
        expect(facts?.presence).toBe('Online');
        expect(facts?.agent.spec).toMatchObject({ cordoned: false, revoked: false, poolName: pool });
        expect(home?.spec.paused).toBe(false);
        const percent = home?.spec.placement?.overcommit?.cpuPercent ?? 100;
        const held = contract.status.holders?.some((entry) => entry.agentUID === agentUID) ? 1 : 0;
        const wanted = Number(contract.spec.termsSnapshot?.resources.cpu) * 1000;
        const used = Math.max(0, (facts?.load.used.cpuMilli ?? 0) - held * wanted);
        expect(used + wanted).toBeLessThanOrEqual(320 * percent);
        const machines = Math.max(0, (facts?.load.used.instances ?? 0) - held) + 1;
        expect(machines).toBeLessThanOrEqual(home?.spec.placement?.instancesPerAgent ?? 99);
        if (apart)
          expect(siblings.some(({ status }) => status.holders?.[0]?.agentUID === agentUID)).toBe(false);
      }
    }));

  test('a choice is in a region that was sold, or in the pool that was named', () =>
    anywhere(({ candidates }, { world, contract }) => {
      const { region, regions = [], poolName } = contract.spec.termsSnapshot ?? someTerms();
      const named = world.pools?.find(({ metadata }) => metadata.name === poolName);
      for (const { pool } of candidates) {
        const location = world.pools?.find(({ metadata }) => metadata.name === pool)?.spec.location;
        expect([region, ...regions, named?.spec.location]).toContain(location);
      }
    }));

  test('the order in which pools and agents are listed changes nothing', () =>
    anywhere((placement, { world, contract, siblings }) => {
      const { pools = [], agents = [] } = world;
      const turned = { pools: pools.toReversed(), agents: agents.toReversed() };
      const other = placeIn(turned, contract, { now: NOON, siblings });
      expect(other.candidates).toEqual(placement.candidates);
      expect(new Set(other.passedOver.map((entry) => JSON.stringify(entry)))).toEqual(
        new Set(placement.passedOver.map((entry) => JSON.stringify(entry))),
      );
    }));

  test('one agent alone gets the same answer', () =>
    anywhere(({ candidates, passedOver }, { world, contract, siblings }) => {
      const supply = prepareSupply({ pools: world.pools ?? [], agents: world.agents ?? [] });
      const terms = contract.spec.termsSnapshot ?? someTerms();
      for (const { agent } of world.agents ?? []) {
        const { uid: agentUID = '', name } = agent.metadata;
        const because = whyNot(contract, { supply, terms, now: NOON, siblings, agentUID });
        const told =
          passedOver.find((entry) => entry.agent === name) ??
          passedOver.find((entry) => entry.agent === undefined && entry.pool === agent.spec.poolName);
        expect(because).toEqual(candidates.some((entry) => entry.agent === name) ? undefined : told?.because);
      }
    }));

  test('nothing changes by time alone before againAtMs', () =>
    fc.assert(
      fc.property(worlds, contracts, fc.nat(10_000_000), (world, contract, later) => {
        const now = placeIn(world, contract, { now: NOON });
        const untilMs = now.againAtMs ?? Number.MAX_SAFE_INTEGER;
        expect(untilMs).toBeGreaterThan(NOON.getTime());
        const thenMs = Math.min(NOON.getTime() + later, untilMs - 1);
        expect(answer(placeIn(world, contract, { now: new Date(thenMs) }))).toEqual(answer(now));
      }),
      { numRuns: 200 },
    ));

  test('who stops taking work changes nothing for the others, but that they move up', () =>
    anywhere((placement, { world, contract, siblings }) => {
      const [first] = placement.candidates;
      if (!first) return;
      const agents = (world.agents ?? []).map((facts) =>
        facts.agent.metadata.uid === first.agentUID
          ? { ...facts, agent: { ...facts.agent, spec: { ...facts.agent.spec, cordoned: true } } }
          : facts,
      );
      const after = placeIn({ ...world, agents }, contract, { now: NOON, siblings });
      expect(after.candidates.map(({ agent }) => agent)).toEqual(
        placement.candidates.slice(1).map(({ agent }) => agent),
      );
    }));
});

test('forty contracts for an agent with room for ten: ten are placed, the others wait for room', () => {
  const resources = { cpu: '1', memory: '10Gi', storage: '1Gi' };
  const agent = someAgent(1, { status: { resources: { cpu: '64', memory: '100Gi', storage: '1000Gi' } } });
  let held: LiveContract[] = [];
  const reasons = new Set<string>();
  for (let n = 0; n < 40; n++) {
    const contract = aContract(
      'Accepted',
      {},
      { metadata: { uid: uidOf(100 + n) }, spec: { termsSnapshot: someTerms({ resources }) } },
    );
    const agents = [{ ...agent, load: loadOf(agent.agent, held) }];
    const { candidates, passedOver } = placeIn({ pools: [aPool()], agents }, contract, { now: at(n) });
    if (candidates.length > 0)
      held = [
        ...held,
        { ...contract, status: { ...contract.status, phase: 'Provisioning', holders: [aHolder(1, 1)] } },
      ];
    for (const { because } of passedOver) reasons.add(because.reason);
  }
  expect(held).toHaveLength(10);
  expect([...reasons]).toEqual(['InsufficientMemory']);
  expect(CAUSE_OF.InsufficientMemory).toBe('Room');
});
