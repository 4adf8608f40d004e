/**
 * A program whose settings are its environment: reads it by a zod schema once, names each variable that is wrong with
 * what it is for, prints them all for `--help`, and says in one line why it ended.
 */
import { z } from 'zod';

type Settings = z.ZodObject;

export type Program<S extends Settings> = Readonly<{
  name: string;
  /** What it does, a sentence without its subject. */
  about: string;
  environment: S;
  run: (config: z.output<S>) => Promise<void>;
}>;

/** Throws an Error whose message has a line for each variable that is wrong; an empty one counts as absent. */
export function readEnvironment<S extends Settings>(schema: S, environment: NodeJS.ProcessEnv): z.output<S> {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(({ path, message }) => {
    const name = path.join('.');
    const about = schema.shape[name]?.description;
    return `  ${name}: ${given[name] === undefined ? 'is not set' : message}${about ? ` (${about})` : ''}`;
  });
  throw new Error(`The environment is not valid:\n${lines.join('\n')}`);
}

/** Each variable with what it is for and its default. */
export function environmentHelp(schema: Settings): string {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const rows = Object.entries(properties).map(([name, variable]) => {
    const { description = '', default: otherwise } = typeof variable === 'object' ? variable : {};
    const note = required.includes(name) ? 'required' : otherwise === undefined ? '' : `default ${otherwise}`;
    return `  ${name}${note ? ` (${note})` : ''}\n      ${description}`;
  });
  return rows.join('\n');
}

/** Sets the exit code: 0 when it ran to its end or only helped, else 1. */
export async function runProgram<S extends Settings>(
  program: Program<S>,
  args: readonly string[],
): Promise<void> {
  const { name, about, environment, run } = program;
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(`${name}: ${about}\n\nEnvironment:\n${environmentHelp(environment)}\n`);
    return;
  }
  try {
    const [unknown] = args;
    if (unknown !== undefined)
      throw new Error(`there is no argument ${unknown}; all settings are variables: --help lists them`);
    await run(readEnvironment(environment, process.env));
  } catch (error) {
    process.stderr.write(`${name}: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
