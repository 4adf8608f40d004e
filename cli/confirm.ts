/** Asks before what cannot be undone; where nobody can be asked, `--yes` has to say so. */
import { createInterface } from 'node:readline/promises';
import { Failure } from './failure.ts';
import type { Session } from './session.ts';

/** Throws Refused when the answer is no, Usage where nobody can be asked. */
export async function confirm({ context, print }: Session, question: string): Promise<void> {
  const { stdin, signal } = context;
  if (!stdin.isTTY) throw new Failure('Usage', 'this needs --yes where nobody can be asked');
  print.note(`${question} [y/N]`);
  const reader = createInterface({ input: stdin });
  try {
    const answer = await reader.question('', { signal });
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    reader.close();
  }
  throw new Failure('Refused', 'nothing was changed');
}
