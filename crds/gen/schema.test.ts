import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { RESOURCES } from '../resources.ts';
import { crdOf } from './crd.ts';
import { type JsonSchema, structuralSchema } from './schema.ts';

/** Every field below a schema with its path. */
function fieldsOf(schema: JsonSchema, path = ''): { path: string; schema: JsonSchema }[] {
  const properties = (schema['properties'] ?? {}) as Record<string, JsonSchema>;
  const own = Object.entries(properties).flatMap(([name, child]) => [
    { path: `${path}.${name}`, schema: child },
    ...fieldsOf(child, `${path}.${name}`),
  ]);
  const items = schema['items'] as JsonSchema | undefined;
  return items ? [...own, ...fieldsOf(items, `${path}[]`)] : own;
}

describe.each(RESOURCES.map((definition) => [definition.kind, definition] as const))(
  '%s',
  (_kind, definition) => {
    const fields = [
      ...fieldsOf(structuralSchema(definition.spec), 'spec'),
      ...fieldsOf(structuralSchema(definition.status), 'status'),
    ];

    test('kubectl explain has a sentence for every field', () =>
      expect(fields.filter(({ schema }) => !schema['description']).map(({ path }) => path)).toEqual([]));

    test('every list says how it is merged, or is a plain one', () => {
      const lists = fields.filter(
        ({ schema }) => (schema['items'] as JsonSchema | undefined)?.['type'] === 'object',
      );
      expect(
        lists.filter(({ schema }) => schema['x-kubernetes-list-type'] !== 'map').map(({ path }) => path),
      ).toEqual([]);
    });

    test('a person finds it: short name, category, columns that end with its age', () => {
      const { spec } = crdOf(definition) as {
        spec: {
          names: { shortNames: string[]; categories: string[] };
          versions: {
            subresources: object;
            additionalPrinterColumns: { name: string; description: string }[];
          }[];
        };
      };
      expect(spec.names.categories).toEqual(['dcmarket']);
      expect(spec.names.shortNames.length).toBeGreaterThan(0);
      expect(spec.versions[0]?.subresources).toEqual({ status: {} });
      expect(spec.versions[0]?.additionalPrinterColumns.map(({ name }) => name)).toContain('Age');
      expect(
        spec.versions[0]?.additionalPrinterColumns.every(({ description }) => description.length > 0),
      ).toBe(true);
    });
  },
);

describe('what a structural schema cannot say is refused, not lost', () => {
  const cases: [string, z.ZodType][] = [
    ['a string without a bound', z.object({ a: z.string() })],
    ['a list without a bound', z.object({ a: z.array(z.string().max(1)) })],
    ['a union', z.object({ a: z.union([z.string().max(1), z.int()]) })],
    ['something unknown', z.object({ a: z.unknown() })],
    ['a date', z.object({ a: z.date() })],
    ['two patterns on one string', z.object({ a: z.string().max(9).regex(/a/).regex(/b/) })],
  ];
  test.each(cases)('%s', (_name, schema) => expect(() => structuralSchema(schema)).toThrow());

  test('meta of Kubernetes goes through, the rest of JSON schema is left out', () => {
    const schema = z.object({
      a: z
        .string()
        .max(5)
        .readonly()
        .meta({ 'x-kubernetes-validations': [{ rule: 'true' }], examples: ['x'] })
        .describe('A.'),
    });
    expect(structuralSchema(schema)).toEqual({
      type: 'object',
      required: ['a'],
      properties: {
        a: {
          type: 'string',
          maxLength: 5,
          description: 'A.',
          'x-kubernetes-validations': [{ rule: 'true' }],
        },
      },
    });
  });
});
