/**
 * Set-up of the project `cluster`: one etcd, kube-apiserver (with our CRDs) and PostgreSQL for the whole run.
 * Files share them, so each works in a namespace (`inNamespace`) and a database (`createDatabase`) of its own.
 */
import type { TestProject } from 'vitest/node';
import { openWorld, testBinaries } from './world.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** File of a cluster administrator. */
    kubeconfig: string;
    /** `postgres://…` of an empty database on the server that the run shares. */
    databaseUrl: string;
    /** Folder that holds kube-apiserver, etcd and kubectl. */
    controlPlaneFolder: string;
    /** Folder of the shared control plane's data and certificates. */
    clusterFolder: string;
    /** `https://127.0.0.1:PORT` */
    clusterUrl: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const world = await openWorld();
  try {
    const binaries = await testBinaries(world.context);
    const [controlPlane, postgres] = await Promise.all([world.startControlPlane(), world.startPostgres()]);
    project.provide('kubeconfig', controlPlane.kubeconfig);
    project.provide('clusterFolder', `${world.folder}/control-plane`);
    project.provide('clusterUrl', controlPlane.url);
    project.provide('databaseUrl', postgres.url);
    project.provide('controlPlaneFolder', binaries.folder);
    return world.close;
  } catch (error) {
    await world.close();
    throw error;
  }
}
