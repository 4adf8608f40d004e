/**
 * A custom resource for one test: its watch cache begins when it is made, so a resourceVersion from before is
 * certainly forgotten, and a change of its definition disturbs nobody else.
 */
import { randomUUID } from 'node:crypto';
import type { KubeClient } from '../client.ts';
import type { KubeObject } from '../object.ts';
import type { ResourceType } from '../resource.ts';

export type Widget = KubeObject & Readonly<{ spec?: Readonly<{ size: number }> | undefined }>;

type Definition = KubeObject &
  Readonly<{
    spec: object;
    status?: Readonly<{ conditions?: readonly Readonly<{ type: string; status: string }>[] }>;
  }>;

const DEFINITIONS: ResourceType = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};

/** Resolves when the API server serves the resource. */
export async function defineWidgets(client: KubeClient): Promise<ResourceType> {
  const suffix = randomUUID().slice(0, 8);
  const group = `w${suffix}.example.com`;
  const type = { group, version: 'v1', plural: 'widgets', kind: 'Widget', namespaced: true };
  const name = `widgets.${group}`;
  const definitions = client.resource<Definition>(DEFINITIONS);
  await definitions.create({ metadata: { name }, spec: specOf(group) });
  for (;;) {
    const definition = await definitions.get({ name });
    const isServed = definition?.status?.conditions?.some(
      ({ type: condition, status }) => condition === 'Established' && status === 'True',
    );
    if (isServed && (await isListed(client, type))) return type;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A new printer column: the API server ends every watch of the resource and forgets its history. */
export async function changeWidgets(client: KubeClient, { group }: ResourceType): Promise<void> {
  const path = '/spec/versions/0/additionalPrinterColumns';
  const value = [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }];
  const patch = { type: 'Json' as const, body: [{ op: 'add', path, value }] };
  await client.resource<Definition>(DEFINITIONS).patch({ name: `widgets.${group}` }, patch);
}

async function isListed(client: KubeClient, type: ResourceType): Promise<boolean> {
  try {
    await client.resource(type).list({ limit: 1 });
    return true;
  } catch {
    return false; // served a moment after it is established
  }
}

const specOf = (group: string) => ({
  group,
  scope: 'Namespaced',
  names: { plural: 'widgets', singular: 'widget', kind: 'Widget' },
  versions: [
    {
      name: 'v1',
      served: true,
      storage: true,
      schema: {
        openAPIV3Schema: {
          type: 'object',
          properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
        },
      },
    },
  ],
});
