/** What every cluster test of the runtime needs: a client of the shared API server and a namespace of its own. */
import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import { createKubeClient, type KubeClient, type KubeClientOptions } from '../client.ts';
import { createInformer, type Informer, type InformerOptions } from '../informer.ts';
import { CONFIG_MAPS, type ConfigMap } from './config-map.ts';

export type Scene = Readonly<{
  client: KubeClient;
  namespace: string;
  signal: AbortSignal;
  /** Runs until the scene closes. */
  inform: (options?: Partial<InformerOptions<ConfigMap>>) => Promise<Informer<ConfigMap>>;
  /** Closes the client and waits for what runs. */
  close: () => Promise<void>;
}>;

export async function openScene(options: Partial<KubeClientOptions> = {}): Promise<Scene> {
  const client = createKubeClient({ kubeconfig: { file: inject('kubeconfig') }, ...options });
  const namespace = `kube-${randomUUID().slice(0, 8)}`;
  await client.raw({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: namespace } } });
  const stop = new AbortController();
  const running: Promise<void>[] = [];
  return {
    client,
    namespace,
    signal: stop.signal,
    inform: async (informerOptions) => {
      const resource = client.resource<ConfigMap>(CONFIG_MAPS);
      const informer = createInformer<ConfigMap>({ resource, namespace, ...informerOptions });
      running.push(informer.run(stop.signal));
      await informer.synced(stop.signal);
      return informer;
    },
    close: async () => {
      stop.abort();
      await Promise.all(running);
      await client.close();
    },
  };
}
