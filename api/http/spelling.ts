/**
 * The specification writes `agent_pubkey`, this API `agentPubkey`: a request may use either. Keys are renamed
 * where the schema knows them, so that free-form objects keep theirs. Both spellings at once are refused.
 */
import { z } from 'zod';

export type TwoSpellings = Readonly<{ path: readonly (string | number)[]; camel: string; snake: string }>;

/** But for capitals: `lock_ttl_seconds` is `lockTTLSeconds`. */
const camelOf = (key: string): string => key.replace(/_([a-z0-9])/g, (_, next: string) => next.toUpperCase());

/** `value` with the keys that `schema` names; what does not fit the schema is left for it to refuse. */
export function toCamelCase(
  schema: z.core.$ZodType,
  value: unknown,
): Readonly<{ value: unknown; conflicts: readonly TwoSpellings[] }> {
  const conflicts: TwoSpellings[] = [];
  return { value: rename(schema, { value, path: [], conflicts }), conflicts };
}

type Walk = Readonly<{ value: unknown; path: readonly (string | number)[]; conflicts: TwoSpellings[] }>;

function rename(schema: z.core.$ZodType, walk: Walk): unknown {
  const { value, path, conflicts } = walk;
  const inner = unwrap(schema);
  if (inner instanceof z.ZodArray && Array.isArray(value))
    return value.map((item, index) =>
      rename(inner.element, { value: item, path: [...path, index], conflicts }),
    );
  if (!(inner instanceof z.ZodObject) || typeof value !== 'object' || value === null || Array.isArray(value))
    return value;
  const shape: Readonly<Record<string, z.core.$ZodType>> = inner.shape;
  const known = (key: string): boolean => Object.hasOwn(shape, key);
  const named = (snake: string): string | undefined =>
    Object.keys(shape).find((name) => name.toLowerCase() === camelOf(snake).toLowerCase());
  const renamed: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    const camel = !known(key) && key.includes('_') ? (named(key) ?? key) : key;
    if (camel !== key && Object.hasOwn(value, camel)) conflicts.push({ path, camel, snake: key });
    const field = known(camel) ? shape[camel] : undefined;
    renamed[camel] = field ? rename(field, { value: member, path: [...path, camel], conflicts }) : member;
  }
  return renamed;
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  let inner = schema;
  while (
    inner instanceof z.ZodOptional ||
    inner instanceof z.ZodNullable ||
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodLazy
  )
    inner = inner.unwrap();
  return inner;
}
