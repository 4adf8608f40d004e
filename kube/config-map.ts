/** One ConfigMap that several programs write: read, decide, and write by compare-and-swap. */
import type { KubeClient } from './client.ts';
import { isAlreadyExists, isConflict } from './error.ts';
import type { KubeObject, ObjectRef } from './object.ts';
import type { CallOptions } from './request.ts';
import type { ResourceClient, ResourceType } from './resource.ts';

export type ConfigMap = KubeObject & Readonly<{ data?: Readonly<Record<string, string>> }>;

export const CONFIG_MAPS: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};

export const configMapsOf = (client: KubeClient): ResourceClient<ConfigMap> =>
  client.resource<ConfigMap>(CONFIG_MAPS);

type Next = Readonly<{
  ref: ObjectRef;
  /** As it was read; undefined: it was not there. */
  live: ConfigMap | undefined;
  /** The whole of it. */
  data: Readonly<Record<string, string>>;
  /** Annotations that go. */
  without?: readonly string[];
}>;

/** The written object; undefined when somebody wrote in between. */
export async function swapConfigMap(
  configMaps: Pick<ResourceClient<ConfigMap>, 'create' | 'update'>,
  { ref, live, data, without = [] }: Next,
  options?: CallOptions,
): Promise<ConfigMap | undefined> {
  try {
    if (!live) return await configMaps.create({ metadata: ref, data }, options);
    const kept = Object.entries(live.metadata.annotations ?? {}).filter(([name]) => !without.includes(name));
    const metadata = { ...live.metadata, annotations: Object.fromEntries(kept) };
    return await configMaps.update({ ...live, metadata, data }, options);
  } catch (error) {
    if (isConflict(error) || isAlreadyExists(error)) return undefined;
    throw error;
  }
}
