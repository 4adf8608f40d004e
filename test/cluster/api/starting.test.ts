/** A facade that has just been started, and is sent requests before its caches are filled. */
import { afterEach, expect, inject, test } from 'vitest';
import { readConfig } from '../../../api/config.ts';
import { startFacade } from '../../../api/facade.ts';
import { freePort } from '../../../dev/processes/ports.ts';
import { systemClock } from '../../../lib/clock.ts';
import { createLogger } from '../../../lib/log.ts';
import { openApiServerProxy } from '../../faults/proxy/api-server.ts';
import { inNamespace } from '../../world/cluster.ts';
import { eventually } from '../../world/eventually.ts';
import { caller } from './harness.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

test('it says 503 and when to ask again, instead of not finding what is there', async () => {
  const proxy = await openApiServerProxy(inject('kubeconfig'));
  closing.push(proxy.close);
  let answersLists = false;
  // A list of offerings does not get through yet: 503 is what a client-side watch cache retries.
  proxy.decide(({ resource }) =>
    resource === 'offerings' && !answersLists ? { type: 'Answer', status: 503 } : { type: 'Pass' },
  );
  const port = await freePort();
  const starting = startFacade({
    config: readConfig({ PORT: String(port), INSTALLATION_NAMESPACE: await inNamespace('starting') }),
    kubeconfig: { text: proxy.kubeconfigText },
    clock: systemClock,
    log: createLogger({ name: 'test', level: 'silent' }),
    signal: new AbortController().signal,
  });
  const call = caller(`http://127.0.0.1:${port}`);
  await eventually(async () => expect((await call('GET', '/healthz')).status).toBe(200));
  const early = await call('GET', '/api/v1/offerings/somewhere/hello');
  expect(early).toMatchObject({ status: 503, body: { code: 'NotReady', retryable: true } });
  expect(early.headers.get('retry-after')).toBe('1');
  expect((await call('GET', '/readyz')).status).toBe(503);

  answersLists = true;
  closing.push((await starting).stop);
  expect(await call('GET', '/api/v1/offerings/somewhere/hello')).toMatchObject({ status: 404 });
});
