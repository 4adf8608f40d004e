/**
 * Is a tenant's `instanceConfig` what the offering allows? One answer, in the same words, for the facade, which refuses
 * a rental with it, and for the operator, which rejects a contract that came as YAML. Same values, same answer.
 */
import { type ErrorObject, Ajv2020 as SchemaCompiler, type ValidateFunction } from 'ajv/dist/2020.js';
import { countValues, isDeeperThan, type JSONType } from './json.ts';
import { compilePattern } from './pattern.ts';
import { requireBounded, SCHEMA_DEPTH_MAX, SchemaError } from './schema.ts';

export const CONFIG_BYTES_MAX = 16 * 1024;
const CONFIG_DEPTH_MAX = 16;
/** Of each are told as many as help somebody. */
const VIOLATIONS_MAX = 16;
const VALUES_SHOWN = 12;
/** Where there could be more of them, none is looked for: each takes memory. */
const FOUND_MAX = 200_000;
const SCHEMAS_KEPT = 256;
/** Room for it in a status. */
const MESSAGE_MAX = 1000;
const POINTER_MAX = 200;

type Config = Readonly<Record<string, JSONType>>;
type Schema = Readonly<Record<string, JSONType>>;

export type Violation = Readonly<{
  /** RFC 6901, within instanceConfig; empty for the whole of it. */
  pointer: string;
  message: string;
}>;

export type ConfigRefusal = Readonly<{ message: string; violations: readonly Violation[] }>;

export type FieldError = Readonly<{ field: string; pointer: string; message: string }>;

/** As `errors` of a refusal lists them. */
export const fieldsOf = ({ violations }: ConfigRefusal): FieldError[] =>
  violations.map(({ pointer, message }) => ({ field: `instanceConfig${pointer}`, pointer, message }));

/** `fits` only says whether; `violated` finds each violation, of which a value can have `mostOf` at most. */
type Checks = Readonly<{ fits: ValidateFunction; violated: () => ValidateFunction; mostOf: number }>;
type Compiled = Checks | Readonly<{ problem: string }>;
type Verdict = Readonly<{ schema: Schema | undefined; refusal: ConfigRefusal | undefined }>;

/** Why the schema cannot be used, a sentence without its subject; undefined: it can. */
export function problemOfSchema(schema: Schema): string | undefined {
  const compiled = compile(schema);
  return 'problem' in compiled ? compiled.problem : undefined;
}

const NONE: Config = {};
/** A poll asks again of each contract that waits, so each object is judged once. */
const judged = new WeakMap<Config, Verdict>();

/** Undefined: it fits. Nothing but size and depth is asked of it where the offering has no schema. */
export function refusalOfConfig(
  config: Config | undefined,
  schema: Schema | undefined,
): ConfigRefusal | undefined {
  if (config === undefined && schema === undefined) return undefined;
  const value = config ?? NONE;
  const known = judged.get(value);
  if (known && known.schema === schema) return known.refusal;
  const refusal = judge(value, schema);
  judged.set(value, { schema, refusal });
  return refusal;
}

function judge(value: Config, schema: Schema | undefined): ConfigRefusal | undefined {
  if (isDeeperThan(value, CONFIG_DEPTH_MAX))
    return refusal([{ pointer: '', message: `is more than ${CONFIG_DEPTH_MAX} levels deep` }]);
  if (Buffer.byteLength(JSON.stringify(value)) > CONFIG_BYTES_MAX)
    return refusal([{ pointer: '', message: `is larger than ${CONFIG_BYTES_MAX / 1024} KiB` }]);
  if (schema === undefined) return undefined;
  const compiled = compile(schema);
  if ('problem' in compiled)
    return refusal([{ pointer: '', message: `cannot be checked: the schema ${compiled.problem}` }]);
  if (compiled.fits(value)) return undefined;
  if (compiled.mostOf * countValues(value) > FOUND_MAX)
    return refusal([
      { pointer: '', message: 'does not fit, and is too large to say where: write less of it' },
    ]);
  const check = compiled.violated();
  check(value);
  return refusal(violationsOf(check.errors ?? []));
}

function refusal(violations: readonly Violation[]): ConfigRefusal {
  const told = violations.map(({ pointer, message }) => (pointer ? `${pointer} ${message}` : message));
  const all = `instanceConfig is not what the offering allows: ${told.join('; ')}`;
  return { message: all.length > MESSAGE_MAX ? `${cut(all, MESSAGE_MAX)}…` : all, violations };
}

/** An emoji at the edge is not halved: the API server would store something else than was written. */
const cut = (text: string, max: number): string => text.slice(0, max).toWellFormed();

/** By what they say too: contracts of one offering have a copy each. */
const kept = new Map<string, Compiled>();

const keptByObject = new WeakMap<Schema, Compiled>();

function compile(schema: Schema): Compiled {
  const known = keptByObject.get(schema) ?? compileOnce(schema);
  keptByObject.set(schema, known);
  return known;
}

function compileOnce(schema: Schema): Compiled {
  if (isDeeperThan(schema, SCHEMA_DEPTH_MAX))
    return { problem: `is more than ${SCHEMA_DEPTH_MAX} levels deep` };
  const text = JSON.stringify(schema);
  const known = kept.get(text) ?? compileNew(schema);
  kept.delete(text); // so that the Map is in the order of use
  kept.set(text, known);
  for (const [oldest] of kept) if (kept.size > SCHEMAS_KEPT) kept.delete(oldest);
  return known;
}

function compileNew(schema: Schema): Compiled {
  try {
    const mostOf = requireBounded(schema);
    dialect ??= new SchemaCompiler(OPTIONS);
    if (!dialect.validateSchema(schema)) {
      const [first] = dialect.errors ?? [];
      return { problem: `is no JSON Schema: ${first?.instancePath || '/'} ${first?.message ?? 'is wrong'}` };
    }
    const { $schema: _dialect, $defs = {}, ...said } = schema;
    let violated: ValidateFunction | undefined;
    return {
      // Below `not` no errors are made.
      fits: compiledBy({ $defs, not: { not: said } }),
      violated: () => (violated ??= compiledBy({ $defs, ...said })),
      mostOf,
    };
  } catch (error) {
    // What the compiler refuses (`enum: []`) is the provider's to mend, and must stop nobody's reconcile.
    if (error instanceof Error)
      return {
        problem: error instanceof SchemaError ? error.message : `cannot be compiled: ${error.message}`,
      };
    throw error;
  }
}

/** One compiler for each: it keeps what it has compiled for good. */
const compiledBy = (schema: Schema): ValidateFunction =>
  new SchemaCompiler({ ...OPTIONS, meta: false, validateSchema: false }).compile(schema);

/** The compiler tells patterns apart by what they say of themselves. */
const regExp = Object.assign((source: string) => ({ ...compilePattern(source), toString: () => source }), {
  code: 'throw new Error("patterns are not written out")',
});
/** `ownProperties`: a config has no `constructor` unless it says so. */
const OPTIONS = {
  allErrors: true,
  strict: false,
  ownProperties: true,
  validateFormats: false,
  logger: false,
  code: { regExp },
} as const;
/** Made when the first schema is looked at. */
let dialect: SchemaCompiler | undefined;

/** What `anyOf` and the like tried in vain is told before them, and is what a person can mend. */
function violationsOf(errors: readonly ErrorObject[]): Violation[] {
  const told = new Map<string, Violation>();
  for (const error of errors) {
    const violation = toViolation(error);
    if (!violation) continue;
    const pointer = cut(violation.pointer, POINTER_MAX);
    const message = cut(violation.message, POINTER_MAX);
    told.set(`${pointer} ${message}`, { pointer, message });
    if (told.size >= VIOLATIONS_MAX) break;
  }
  return [...told.values()];
}

function toViolation({ keyword, instancePath, params, message }: ErrorObject): Violation | undefined {
  const named = (name: unknown): string => `${instancePath}/${escaped(String(name))}`;
  switch (keyword) {
    case 'if':
    case 'propertyNames': // the name itself is told too
      return keyword === 'if'
        ? undefined
        : { pointer: named(params['propertyName']), message: 'has a name that is not allowed' };
    case 'required':
      return { pointer: named(params['missingProperty']), message: 'is missing' };
    case 'dependentRequired':
      return {
        pointer: named(params['missingProperty']),
        message: `is missing: it goes with ${params['property']}`,
      };
    case 'additionalProperties':
      return { pointer: named(params['additionalProperty']), message: 'is not known to the offering' };
    case 'enum':
      return { pointer: instancePath, message: `must be one of ${shown(params['allowedValues'])}` };
    case 'const':
      return { pointer: instancePath, message: `must be ${JSON.stringify(params['allowedValue'])}` };
    case 'false schema':
      return { pointer: instancePath, message: 'is not allowed' };
    default:
      return { pointer: instancePath, message: message ?? 'is not allowed' };
  }
}

function shown(values: unknown): string {
  const all = Array.isArray(values) ? values : [];
  const some = all.slice(0, VALUES_SHOWN).map((value) => JSON.stringify(value));
  return all.length > some.length ? `${some.join(', ')}, …` : some.join(', ');
}

const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');
