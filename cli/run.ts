/** Runs one command line and answers its exit code: 0 done, 1 refused, 2 wrong usage, 3 nobody answered. */
import { CommanderError } from 'commander';
import { isAbort } from '../lib/abort.ts';
import type { Context } from './context.ts';
import { EXIT_CODES, EXIT_INTERRUPTED, Failure } from './failure.ts';
import { createPrinter } from './output/printer.ts';
import type { ExitCode } from './parent.ts';
import { buildProgram } from './program.ts';

export async function run(argv: readonly string[], context: Context): Promise<number> {
  const exitCode: ExitCode = { value: 0 };
  const program = buildProgram(context, exitCode);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode.value;
  } catch (error) {
    // commander has printed its message; --help and --version end this way too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_CODES.Usage;
    if (isAbort(error, context.signal)) return EXIT_INTERRUPTED;
    if (!(error instanceof Failure)) throw error;
    printFailure(context, { error, isJson: argv.includes('--json') });
    return error.exitCode;
  }
}

function printFailure(
  context: Context,
  { error, isJson }: Readonly<{ error: Failure; isJson: boolean }>,
): void {
  const print = createPrinter(context);
  const { kind, message, next, problem } = error;
  if (isJson) print.json(problem ?? { success: false, code: kind, detail: message, error: next ?? message });
  print.note(`${print.paint('red', 'dcm:')} ${message}`);
  if (next !== undefined) print.note(`     ${next}`);
}
