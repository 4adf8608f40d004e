/** Figures of an agent: promised, free, and what its failures come to. When they are written is `decide.test.ts`'. */
import { describe, expect, test } from 'vitest';
import { type Agent, type AgentHealth, AgentStatus } from '../../crds/agent.ts';
import { anAgent, aPool, at, uidOf } from '../../crds/contract/builders.ts';
import { loaded } from '../../crds/placement/builders.ts';
import { prepareAgent } from '../../crds/placement/supply.ts';
import { NO_WORK } from './builders.ts';
import { type AgentLook, decideAgent } from './decide.ts';
import type { Work } from './figures.ts';

const MINUTE = 60;
const lease = { renewTime: at(0).toISOString(), silentMs: 0, left: false, duplicate: false };
const look = (work: Partial<Work>, { agent = anAgent(1), ...change }: Partial<AgentLook> = {}) => {
  const sinceLastWriteMs = Number.POSITIVE_INFINITY;
  const known = { agent, lease, pool: aPool(), held: [], activeContracts: 0, sinceLastWriteMs };
  const decision = decideAgent({ ...known, work: { ...NO_WORK, ...work }, now: at(0), ...change });
  expect(AgentStatus.safeParse(decision.status).error).toBeUndefined();
  const condition = (wanted: string) => decision.status.conditions?.find(({ type }) => type === wanted);
  return { ...decision, condition, agent: { ...agent, status: decision.status } };
};

describe('what is promised and what is free', () => {
  const sized: Agent = { ...anAgent(1), status: { resources: { cpu: '32', memory: '128Gi' } } };
  const load = loaded(9.5, { memory: '24Gi', storage: '10Gi', instances: 3 });
  const prepare = (spec = {}) =>
    prepareAgent({ agent: sized, presence: 'Online', load, health: undefined }, aPool('p', spec));

  test('is the sum of its contracts, and what that leaves', () =>
    expect(look({ load, prepared: prepare() }, { agent: sized }).status).toMatchObject({
      allocated: { cpu: '9.5', memory: '24Gi', storage: '10Gi', instances: 3 },
      free: { cpu: '22.5', memory: '104Gi' },
      freeText: { cpu: '22.5', memory: '104Gi' },
    }));
  test('of what its pool promises', () => {
    const overcommit = { cpuPercent: 200, memoryPercent: 100, storagePercent: 100 };
    const prepared = prepare({ placement: { strategy: 'Spread', instancesPerAgent: 8, overcommit } });
    expect(look({ load, prepared }, { agent: sized }).status.free).toEqual({
      cpu: '54.5',
      memory: '104Gi',
      instances: 5,
    });
  });
  test('an agent that says nothing of its size has no figure, and a dash in the table', () => {
    const prepared = prepareAgent({ agent: anAgent(1), presence: 'Online', load }, aPool());
    expect(look({ load, prepared }).status).toMatchObject({ free: {}, freeText: { cpu: '-', memory: '-' } });
  });
  test('without its pool nothing of it can be promised any more', () => {
    const { agent } = look({ load, prepared: prepare() }, { agent: sized });
    const { status } = look({ load }, { agent, pool: undefined });
    expect(status.free).toBeUndefined();
    expect(status.freeText).toBeUndefined();
    expect(status.allocated?.cpu).toBe('9.5');
  });
});

const failed = (...minutes: number[]): AgentHealth => ({
  failures: minutes.map((minute, n) => ({ contractUID: uidOf(n), at: at(minute * MINUTE).toISOString() })),
});

describe('its breaker', () => {
  const run = failed(-3, -2, -1);
  const open = look({ health: run });

  test('opens after a run of failures, at once, and says until when', () => {
    expect(open.condition('Healthy')).toMatchObject({
      status: 'False',
      reason: 'BreakerOpen',
      message: '3 contracts in a row failed on it; it gets no new work until 2026-01-01T12:14:00.000Z',
    });
    expect(open.condition('Ready')).toMatchObject({ status: 'False', reason: 'Unhealthy' });
    const well = look({ health: failed(-3, -2) }).agent;
    expect(look({ health: run }, { agent: well, sinceLastWriteMs: 0 }).status).not.toEqual(well.status);
  });
  test('is looked at when it closes, which it does by itself', () => {
    const silent = { lease: { ...lease, left: true } };
    expect(look({ health: run }, silent).requeueAfterMs).toBe(14 * MINUTE * 1000);
    const later = look({ health: run }, { agent: open.agent, now: at(14 * MINUTE) });
    expect(later.condition('Healthy')).toMatchObject({ status: 'True', reason: 'OnTrial' });
    expect(later.condition('Ready')).toMatchObject({ status: 'True' });
  });
  test('is closed by a success', () => {
    const health = { ...run, lastSuccessAt: at(0).toISOString() };
    expect(look({ health }, { agent: open.agent, now: at(1) }).condition('Healthy')).toMatchObject({
      status: 'True',
      reason: 'NoRunOfFailures',
    });
  });
  test('stays as it was written while the attempts are not known yet', () =>
    expect(look({}, { agent: open.agent }).condition('Healthy')?.reason).toBe('BreakerOpen'));
});

describe('what it says of its health', () => {
  const unhealthy = { reason: 'CannotList', message: 'its machines could not be listed' };
  const ill = look({}, { agent: { ...anAgent(1), status: { unhealthy } } });

  test('is its condition, and why it gets no work, at once', () => {
    expect(ill.condition('Healthy')).toMatchObject({ status: 'False', ...unhealthy });
    expect(ill.condition('Ready')).toMatchObject({
      status: 'False',
      reason: 'Unhealthy',
      message: unhealthy.message,
    });
    const agent = { ...look({}).agent };
    agent.status = { ...agent.status, unhealthy };
    expect(look({}, { agent, sinceLastWriteMs: 0 }).condition('Healthy')?.reason).toBe('CannotList');
  });
  test('is told before a run of failures, which counts on', () => {
    const agent = { ...anAgent(1), status: { unhealthy } };
    const both = look({ health: failed(-3, -2, -1) }, { agent, lease: { ...lease, left: true } });
    expect(both.condition('Healthy')?.reason).toBe('CannotList');
    expect(both.requeueAfterMs).toBe(14 * MINUTE * 1000);
  });
  test('is over when it says nothing any more', () => {
    const { unhealthy: _over, ...status } = ill.status;
    const well = look({}, { agent: { ...anAgent(1), status } });
    expect(well.condition('Healthy')).toMatchObject({ status: 'True' });
    expect(well.condition('Ready')).toMatchObject({ status: 'True' });
  });
});

describe('what is worth a write', () => {
  const first = look({ health: { lastSuccessAt: at(-60).toISOString() } }).agent;

  test('one more success of an agent that is well is none', () =>
    expect(look({ health: { lastSuccessAt: at(0).toISOString() } }, { agent: first }).status).toEqual(
      first.status,
    ));
  test('a failure is, but ten seconds apart', () => {
    const health = { ...failed(-1), lastSuccessAt: at(-60).toISOString() };
    expect(look({ health }, { agent: first, sinceLastWriteMs: 4_000 })).toMatchObject({
      status: first.status,
      requeueAfterMs: 6_000,
    });
    expect(look({ health }, { agent: first, sinceLastWriteMs: 10_000 }).status.health).toEqual(health);
  });
  test('so is more that is promised', () => {
    const work = { health: first.status.health, load: loaded(1) };
    expect(look(work, { agent: first, sinceLastWriteMs: 4_000 }).status).toEqual(first.status);
    expect(look(work, { agent: first }).status.allocated?.cpu).toBe('1');
  });
});
