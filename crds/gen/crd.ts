/** One CustomResourceDefinition manifest from a resource definition. */
import { GROUP, VERSION } from '../group.ts';
import type { ResourceDefinition } from '../resource.ts';
import { structuralSchema } from './schema.ts';

/** The manifest as a plain object, ready for YAML. */
export function crdOf(definition: ResourceDefinition): Record<string, unknown> {
  const { kind, plural, singular, shortNames, scope, description, columns, rules, selectableFields } =
    definition;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${GROUP}`,
      labels: { 'app.kubernetes.io/name': 'dcmarket', 'app.kubernetes.io/component': 'crds' },
    },
    spec: {
      group: GROUP,
      scope,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular,
        shortNames: [...shortNames],
        categories: ['dcmarket'],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns.map((column) => ({ ...column })),
          ...(selectableFields.length === 0
            ? {}
            : { selectableFields: selectableFields.map((jsonPath) => ({ jsonPath })) }),
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description,
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string', description: `Always ${GROUP}/${VERSION}.` },
                kind: { type: 'string', description: `Always ${kind}.` },
                metadata: { type: 'object' },
                spec: structuralSchema(definition.spec),
                status: structuralSchema(definition.status),
              },
              'x-kubernetes-validations': rules.map((rule) => ({ ...rule })),
            },
          },
        },
      ],
    },
  };
}
