/** Reads and checks the configuration file. Every problem is named with its line, all of them at once. */
import { existsSync } from 'node:fs';
import { parse, TomlError } from 'smol-toml';
import { z } from 'zod';
import { codeOf, EXIT, Failure, messageOf } from '../failure.ts';
import { makePrivate, octal, openBits, readIfThere } from '../files.ts';
import { besideConfig, defaultStateDir } from './paths.ts';
import { ConfigFile } from './schema.ts';
import { lineOf, type TomlLines, tomlLines } from './toml-lines.ts';

export type Config = Readonly<{
  file: string;
  agent: ConfigFile['agent'] & { state_dir: string };
  keys: ConfigFile['keys'];
  provisioner: ConfigFile['provisioner'];
  reconcile: ConfigFile['reconcile'];
  resources: ConfigFile['resources'];
}>;

export type Loaded = Readonly<{ config: Config; warnings: readonly string[] }>;

type Problem = Readonly<{ line: number; message: string }>;

/** Throws Failure with every problem as `file:line: what`. Mends a mode that lets others read the file. */
export function loadConfig(file: string): Loaded {
  const text = readConfigText(file);
  const lines = tomlLines(text);
  const result = ConfigFile.safeParse(parseToml(file, text));
  const problems = result.success ? [] : result.error.issues.flatMap((issue) => describe(issue, lines));
  if (!result.success) throw invalid(file, problems);
  const { agent, keys, provisioner, reconcile, resources } = result.data;
  const config: Config = {
    file,
    agent: { ...agent, state_dir: besideConfig(file, agent.state_dir ?? defaultStateDir(file)) },
    keys: { private_key_path: besideConfig(file, keys.private_key_path) },
    provisioner,
    reconcile,
    resources,
  };
  const missing = missingFiles(config, lines);
  if (missing.length > 0) throw invalid(file, missing);
  return { config, warnings: mendMode(file) };
}

function readConfigText(file: string): string {
  let text: string | undefined;
  try {
    text = readIfThere(file);
  } catch (error) {
    throw new Failure(`${file} cannot be read: ${codeOf(error) ?? messageOf(error)}`, {
      next: 'Run this as the user that set the agent up, or name another file with --config.',
      exitCode: EXIT.Misused,
    });
  }
  if (text !== undefined) return text;
  throw new Failure(`${file} does not exist`, {
    next: 'Join a pool first: dc-agent setup --token TOKEN --api-url URL; or name the file with --config.',
    exitCode: EXIT.Misused,
  });
}

function parseToml(file: string, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const what = error.message.split('\n')[0]?.replace('Invalid TOML document: ', '') ?? 'not TOML';
    throw invalid(file, [{ line: error.line, message: what }]);
  }
}

function describe(issue: z.core.$ZodIssue, lines: TomlLines): Problem[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      line: lineOf(lines, [...path, key]),
      message: `${[...path, key].join('.')} is not a known key; known in ${path.join('.') || 'the file'}: ${knownKeys(path).join(', ')}`,
    }));
  const line = lineOf(lines, path);
  const isMissing = issue.code === 'invalid_type' && !lines.has(path.join('.'));
  if (isMissing) return [{ line, message: `${path.join('.')} is missing${describedAs(path)}` }];
  return [{ line, message: `${path.join('.')}: ${issue.message}${describedAs(path)}` }];
}

/** The schema at a path; undefined where it does not lead to one. */
function schemaAt(path: readonly string[]): z.core.$ZodType | undefined {
  let schema: z.core.$ZodType | undefined = ConfigFile;
  for (const key of path) {
    schema = bare(schema);
    schema = schema instanceof z.ZodObject ? schema.shape[key] : undefined;
  }
  // A description stands on the outside, also of what has a default.
  return schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault ? bare(schema) : schema;
}

function bare(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  let inner = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault)
    inner = inner.def.innerType;
  return inner;
}

function knownKeys(path: readonly string[]): string[] {
  const schema = schemaAt(path);
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

function describedAs(path: readonly string[]): string {
  const schema = schemaAt(path);
  const description = schema ? z.globalRegistry.get(schema)?.description : undefined;
  return description ? ` (${description.replace(/\.$/, '')})` : '';
}

/** Programs and the key must be there when the agent starts, not when the first tenant comes. */
function missingFiles(config: Config, lines: TomlLines): Problem[] {
  const key = { path: ['keys', 'private_key_path'], file: config.keys.private_key_path };
  const programs = Object.entries(
    config.provisioner.type === 'script' ? (config.provisioner.script ?? {}) : {},
  )
    .filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    .map(([name, file]) => ({ path: ['provisioner', 'script', name], file }));
  return [key, ...programs]
    .filter(({ file }) => !existsSync(file))
    .map(({ path, file }) => ({
      line: lineOf(lines, path),
      message: `${path.join('.')}: ${file} does not exist`,
    }));
}

function mendMode(file: string): string[] {
  if (openBits(file) === 0) return [];
  const mode = octal(file);
  try {
    makePrivate(file);
    return [`${file} had mode ${mode}, others could read it; it is 0600 now`];
  } catch {
    return [`${file} has mode ${mode}, others can read it: chmod 600 ${file}`];
  }
}

function invalid(file: string, problems: readonly Problem[]): Failure {
  const listed = [...problems]
    .sort((a, b) => a.line - b.line)
    .map(({ line, message }) => `${file}:${line}: ${message}`);
  return new Failure(listed.join('\n'), {
    next: `Correct ${listed.length === 1 ? 'this line' : 'these lines'}, then run dc-agent doctor.`,
    exitCode: EXIT.Misused,
  });
}
