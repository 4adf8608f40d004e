/** JSON that a person gives on the command line: as it is, `@FILE`, or `-` for standard input. */
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { Context } from './context.ts';
import { Failure } from './failure.ts';
import { isCode } from './key-file.ts';

/** Settings of a machine. Throws a Usage failure for what is no JSON object. */
export async function readConfig(context: Context, given: string): Promise<object> {
  const value = await readJson(context, { given, what: '--config' });
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new Failure('Usage', '--config is no JSON object', {
    next: `Write it like '{"image":"debian-13"}'.`,
  });
}

type Given = Readonly<{ given: string; what: string }>;

/** Throws a Usage failure for what is no JSON: the server would only say the same. */
export async function readJson(context: Context, { given, what }: Given): Promise<unknown> {
  const source = await readSource(context, given);
  try {
    return JSON.parse(source);
  } catch (cause) {
    throw new Failure('Usage', `${what} is not JSON: ${cause instanceof Error ? cause.message : ''}`, {
      next: `Quote it for your shell, e.g. '{"note":"done"}', or give a file with @FILE.`,
      cause,
    });
  }
}

async function readSource({ stdin }: Context, given: string): Promise<string> {
  if (given === '-' || given === '@-') return text(stdin);
  if (!given.startsWith('@')) return given;
  const file = given.slice(1);
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const what = isCode(cause, 'ENOENT') ? `there is no file ${file}` : `${file} cannot be read`;
    throw new Failure('Usage', what, { next: 'Name a file with JSON in it after the @.', cause });
  }
}
