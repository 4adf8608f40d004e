import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import type { AgentPool } from '../../crds/agent-pool.ts';
import { addPoolMetrics } from './metrics.ts';

const pool = (name: string, status?: AgentPool['status']) =>
  ({ metadata: { namespace: 'acme', name }, ...(status ? { status } : {}) }) as AgentPool; // what the metrics read

async function linesOf(pools: () => readonly AgentPool[]): Promise<() => Promise<string[]>> {
  const registry = new Registry();
  addPoolMetrics(registry, pools);
  return async () => (await registry.metrics()).split('\n').filter((line) => line.startsWith('dcmarket_'));
}

test('a pool says who is there, what waits, how attempts ended, and what is free', async () => {
  const status = {
    ...{ agents: 5, online: 4, activeContracts: 23, waitingContracts: 1 },
    attempts24h: { succeeded: 75, failed: 1 },
    free: { cpu: '500m', memory: '2Gi', instances: 7 },
  };
  const lines = await linesOf(() => [pool('europe', status)]);
  expect(await lines()).toEqual([
    'dcmarket_pool_agents{namespace="acme",pool="europe",state="joined"} 5',
    'dcmarket_pool_agents{namespace="acme",pool="europe",state="online"} 4',
    'dcmarket_pool_contracts{namespace="acme",pool="europe",state="active"} 23',
    'dcmarket_pool_contracts{namespace="acme",pool="europe",state="waiting"} 1',
    'dcmarket_pool_attempts_24h{namespace="acme",pool="europe",outcome="succeeded"} 75',
    'dcmarket_pool_attempts_24h{namespace="acme",pool="europe",outcome="failed"} 1',
    'dcmarket_pool_free{namespace="acme",pool="europe",resource="cpu"} 0.5',
    `dcmarket_pool_free{namespace="acme",pool="europe",resource="memory"} ${2 * 1024 ** 3}`,
    'dcmarket_pool_free{namespace="acme",pool="europe",resource="instances"} 7',
  ]);
});

test('of a pool that is gone, or has no status yet, nothing is said', async () => {
  let pools = [pool('old', { agents: 1 }), pool('new')];
  const lines = await linesOf(() => pools);
  expect(await lines()).toHaveLength(1);
  pools = [pool('new')];
  expect(await lines()).toEqual([]);
});
