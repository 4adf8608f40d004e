/** Reads what a program answered: one JSON document, of the action's shape, or an error that says what came instead. */
import { z } from 'zod';
import { type ErrorClass, ProvisionerError } from './provisioner-error.ts';
import type { Finished } from './run-program.ts';
import { type Action, Answer, type AnswerOf, Refusal } from './script-protocol.ts';

/** As much of a wrong answer as helps to recognise it. */
const EXCERPT_CHARACTERS = 160;
const ERROR_CHARACTERS = 2000;

type Said = Finished & Readonly<{ program: string; redact: (text: string) => string }>;

/** Throws `ProgramFailed`, `ProgramAnswerInvalid` or `ProgramRefused`. */
export function readAnswer<A extends Action>(action: A, said: Said): AnswerOf<A> {
  if (said.exitCode !== 0) throw failed(said);
  const document = parse(said);
  const refusal = Refusal.safeParse(document);
  if (refusal.success) throw refused(refusal.data, said);
  const answer = Answer[action].safeParse(document);
  // The table maps each action to its schema; TypeScript does not follow that through the generic index.
  if (answer.success) return answer.data as AnswerOf<A>;
  const problems = z
    .prettifyError(answer.error)
    .replaceAll('✖ ', '')
    .split(/\s*\n\s*/)
    .join(' ');
  throw invalid(said, `is not the answer to ${action}: ${problems.slice(0, 600)}`);
}

function parse(said: Said): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(said.stdout);
  } catch {
    throw invalid(said, 'is not UTF-8');
  }
  if (text.trim() === '') throw invalid(said, 'is empty');
  try {
    return JSON.parse(text);
  } catch {
    // Without the parser's error as cause: it quotes the text, secrets included.
    throw invalid(said, 'is not exactly one JSON document');
  }
}

function failed({ program, exitCode, exitSignal, stderr }: Said): ProvisionerError {
  const how = exitCode === null ? `was ended by ${exitSignal}` : `ended with exit code ${exitCode}`;
  const words = stderr === '' ? 'and said nothing on stderr' : `and said: ${stderr.slice(-ERROR_CHARACTERS)}`;
  return new ProvisionerError('ProgramFailed', `${program} ${how} ${words}`, {
    remedy:
      'Run the program by hand with the same input; its own errors belong in {"success":false,"error":…}.',
  });
}

function invalid({ program, stdout, redact }: Said, what: string): ProvisionerError {
  const whole = redact(stdout.toString('utf8'));
  const found = whole.length > EXCERPT_CHARACTERS ? `${whole.slice(0, EXCERPT_CHARACTERS)}…` : whole;
  return new ProvisionerError(
    'ProgramAnswerInvalid',
    `what ${program} wrote to stdout ${what}; found ${JSON.stringify(found)}`,
    {
      remedy:
        'Write one JSON document as in agent/provisioner/README.md to stdout, everything else to stderr.',
    },
  );
}

function refused(refusal: z.infer<typeof Refusal>, { program }: Said): ProvisionerError {
  const message = refusal.error?.trim().slice(0, ERROR_CHARACTERS) || `${program} gave no reason`;
  const byRetry: ErrorClass | undefined = refusal.retry_possible === false ? 'permanent' : undefined;
  return new ProvisionerError('ProgramRefused', message, {
    remedy: `${program} says so itself; its stderr is in the agent's log at level debug.`,
    class: refusal.class ?? byRetry,
  });
}
