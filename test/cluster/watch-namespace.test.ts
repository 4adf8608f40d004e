/** An operator and a facade of one namespace on a cluster that holds others: those are left alone. */
import { expect, inject, onTestFinished, test } from 'vitest';
import { createClients } from '../../api/clients.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import { createKubeClient } from '../../kube/client.ts';
import { systemClock } from '../../lib/clock.ts';
import { createLogger } from '../../lib/log.ts';
import { generateKeyPair } from '../../lib/signature/keys.ts';
import { readConfig } from '../../operator/config.ts';
import { runOperator } from '../../operator/run.ts';
import { createDatabase, inNamespace } from '../world/cluster.ts';
import { eventually } from '../world/eventually.ts';
import { makeOffering, openMarket } from './api/harness.ts';
import { EXAMPLES } from './examples.ts';

async function runOperatorOf(namespace: string): Promise<void> {
  const stop = new AbortController();
  const database = await createDatabase();
  const running = runOperator({
    config: readConfig({
      KUBECONFIG: inject('kubeconfig'),
      DATABASE_URL: database.url,
      METRICS_PORT: '0',
      LEASE_NAMESPACE: namespace,
      WATCH_NAMESPACE: namespace,
    }),
    log: createLogger({ name: 'operator', level: 'silent' }),
    clock: systemClock,
    identity: 'test',
    signal: stop.signal,
  });
  onTestFinished(async () => {
    stop.abort(new Error('the test is over'));
    await running;
    await database.drop();
  });
}

test('an operator with WATCH_NAMESPACE acts there and nowhere else', async () => {
  const client = createKubeClient({ kubeconfig: { file: inject('kubeconfig') } });
  onTestFinished(client.close);
  const clients = createClients(client);
  const mine = await inNamespace('mine');
  const other = await inNamespace('other');
  for (const namespace of [other, mine]) {
    const example = EXAMPLES['Contract'] as unknown as Contract; // a legal one, see examples.ts
    await clients.contracts.create({ ...example, metadata: { name: 'one', namespace } });
    await clients.providers.create({
      metadata: { name: namespace },
      spec: {
        publicKey: generateKeyPair().publicKey,
        displayName: namespace,
        namespace,
        acceptance: { mode: 'Automatic' },
      },
    });
  }
  await runOperatorOf(mine);
  await eventually(async () => {
    expect((await clients.contracts.get({ namespace: mine, name: 'one' }))?.status?.phase).toBe('Requested');
    expect((await clients.providers.get({ name: mine }))?.status?.conditions?.[0]?.status).toBe('True');
  });
  expect((await clients.contracts.get({ namespace: other, name: 'one' }))?.status).toBeUndefined();
  expect((await clients.providers.get({ name: other }))?.status).toBeUndefined();
});

test('a facade with WATCH_NAMESPACE serves the offerings of that namespace', async () => {
  const namespace = await inNamespace('served');
  const elsewhere = await openMarket({ withDatabase: false });
  onTestFinished(elsewhere.close);
  const market = await openMarket({
    withDatabase: false,
    cluster: { kubeconfig: inject('kubeconfig'), namespace },
    environment: { WATCH_NAMESPACE: namespace },
  });
  onTestFinished(market.close);
  const foreign = await makeOffering(elsewhere);
  const own = await makeOffering(market);
  expect((await market.call('GET', `/api/v1/offerings/${own}`)).status).toBe(200);
  expect((await market.call('GET', `/api/v1/offerings/${foreign}`)).status).toBe(404);
});
