/** What a test file takes for itself from the servers that the run shares. */
import { randomBytes } from 'node:crypto';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { inject } from 'vitest';
import { addUser, type User } from '../../dev/control-plane/run.ts';
import { createDatabaseIn, dropDatabaseIn } from '../../dev/postgres/database-url.ts';
import { systemClock } from '../../lib/clock.ts';

export type TestDatabase = Readonly<{ url: string; drop: () => Promise<void> }>;

/** A fresh database; `template` is the name of one to copy. */
export async function createDatabase(options: { template?: string } = {}): Promise<TestDatabase> {
  const server = inject('databaseUrl');
  const name = `test_${unique()}`;
  const url = await createDatabaseIn(server, name, options.template);
  return { url, drop: () => dropDatabaseIn(server, name) };
}

/**
 * Makes a namespace and answers its name, which begins with `prefix`. It is not removed: without a controller
 * manager it would stay Terminating, and the whole cluster goes at the end of the run.
 */
export async function inNamespace(prefix = 'test'): Promise<string> {
  const name = `${prefix}-${unique()}`;
  await kubeConfig()
    .makeApiClient(CoreV1Api)
    .createNamespace({ body: { metadata: { name } } });
  return name;
}

/** The administrator's configuration of the shared cluster. */
export function kubeConfig(file: string = inject('kubeconfig')): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(file);
  return config;
}

/** A kubeconfig for somebody with only the rights that RBAC gives; answers the file. */
export function addTestUser(user: User): Promise<string> {
  return addUser(
    { folder: inject('clusterFolder'), url: inject('clusterUrl'), now: systemClock.now() },
    user,
  );
}

function unique(): string {
  return randomBytes(5).toString('hex');
}
