/** The resource that the runtime is tried with: every API server has it and nobody else minds. */
import type { KubeObject } from '../object.ts';
import type { ResourceType } from '../resource.ts';

export type ConfigMap = KubeObject & Readonly<{ data?: Readonly<Record<string, string>> | undefined }>;

export const CONFIG_MAPS: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};

/** A legal minimum, as it would come from a watch. */
export function aConfigMap({
  name = 'a',
  namespace = 'home',
  uid = `uid-${name}`,
  resourceVersion = '1',
  labels = {},
  data = {},
}: Partial<{
  name: string;
  namespace: string;
  uid: string;
  resourceVersion: string;
  labels: Record<string, string>;
  data: Record<string, string>;
}> = {}): ConfigMap {
  const metadata = { name, namespace, uid, resourceVersion, labels };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
}
