/**
 * Every part of a request against the zod schema that OpenAPI shows. A refusal names each field and what is
 * allowed; a field that the schema does not know is refused too, because a typing mistake would be obeyed silently.
 */
import type { FastifySchemaCompiler } from 'fastify';
import type { z } from 'zod';
import { Problem } from '../../crds/problem.ts';
import { toCamelCase } from './spelling.ts';

export type FieldError = Readonly<{ field: string; message: string }>;

/** How many refused fields are listed; the rest helps nobody. */
const ERRORS_MAX = 20;

type Part = 'body' | 'querystring' | 'params' | 'headers';

export const validatorCompiler: FastifySchemaCompiler<z.ZodType> =
  ({ schema, httpPart }) =>
  (data: unknown) => {
    try {
      return { value: validate(schema, { data, part: toPart(httpPart) }) };
    } catch (error) {
      if (error instanceof Problem) return { error };
      throw error;
    }
  };

/** The parsed value. Throws Problem UnknownField, ValidationFailed, or BadRequest where a body is missing. */
export function validate(
  schema: z.ZodType,
  { data, part }: Readonly<{ data: unknown; part: Part }>,
): unknown {
  const translated = part === 'body' || part === 'querystring' ? toCamelCase(schema, data) : undefined;
  const conflict = translated?.conflicts[0];
  if (conflict)
    throw refusal('ValidationFailed', part, [
      {
        field: [...conflict.path, conflict.camel].join('.'),
        message: `is there as ${conflict.camel} and as ${conflict.snake}: send one of them`,
      },
    ]);
  const parsed = schema.safeParse(translated ? translated.value : data);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.slice(0, ERRORS_MAX);
  const isUnknown = issues.every((issue) => issue.code === 'unrecognized_keys');
  throw refusal(isUnknown ? 'UnknownField' : 'ValidationFailed', part, issues.flatMap(fieldErrors));
}

function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      field: [...path, key].join('.').slice(0, 200),
      message: 'is not known here',
    }));
  return [{ field: path.join('.') || '(the whole body)', message: issue.message }];
}

function refusal(
  code: 'UnknownField' | 'ValidationFailed',
  part: Part,
  errors: readonly FieldError[],
): Problem {
  const [first] = errors;
  const where = part === 'body' ? '' : part === 'querystring' ? 'query parameter ' : `${part} `;
  const message = first ? `${where}${first.field}: ${first.message}` : 'a field is not valid';
  const next =
    code === 'UnknownField'
      ? `Leave ${first?.field ?? 'it'} out, or check its spelling; the API page lists every field.`
      : `Correct ${first?.field ?? 'the field'} and send it again.`;
  return new Problem(code, message, { next, extra: { errors } });
}

function toPart(httpPart: string | undefined): Part {
  return httpPart === 'querystring' || httpPart === 'params' || httpPart === 'headers' ? httpPart : 'body';
}
