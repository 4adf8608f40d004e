/** What all rounds stand on: two facades as processes, their database, and an operator for the namespace of each play. */
import { inject } from 'vitest';
import { createDatabase, inNamespace } from '../../world/cluster.ts';
import { type Facades, startFacades } from '../../world/facades.ts';
import { startOperator } from '../../world/operator.ts';

export type Ground = Readonly<{
  facades: Facades['all'];
  /** Answers how to stop it; its last Events may take seconds, for which `close` waits. */
  operate: (namespace: string) => () => void;
  close: () => Promise<void>;
}>;

export async function openGround(): Promise<Ground> {
  const kubeconfig = inject('kubeconfig');
  const { url: databaseUrl, drop } = await createDatabase();
  const installation = await inNamespace('capacity');
  const facades = await startFacades(2, { kubeconfig, databaseUrl, namespace: installation });
  const stopping: Promise<void>[] = [];
  return {
    facades: facades.all,
    operate: (namespace) => {
      const environment = { INSTALLATION_NAMESPACE: installation };
      const stop = startOperator({ kubeconfig, databaseUrl, namespace, environment });
      return () => {
        const stopped = stop();
        stopped.catch(() => undefined);
        stopping.push(stopped);
      };
    },
    close: async () => {
      await facades.close();
      await Promise.all(stopping);
      await drop();
    },
  };
}
