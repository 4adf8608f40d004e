/** `dcm call METHOD PATH [BODY]`: any call, signed. */
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { examples, oneOf } from '../arguments.ts';
import type { Context } from '../context.ts';
import { EXIT_CODES, Failure } from '../failure.ts';
import { isCode } from '../key-file.ts';
import type { ExitCode, Parent } from '../parent.ts';
import type { Session } from '../session.ts';

const Options = z.object({
  as: z.enum(['tenant', 'provider', 'anyone']).default('tenant'),
  idempotencyKey: z.string().min(1).optional(),
});

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD'] as const;

export function addCallCommand({ program, open, exitCode }: Parent): void {
  const command = program
    .command('call')
    .description('make any call, signed with your key; prints what came back')
    .argument('<method>', METHODS.join(', '), (word: string) => oneOf(METHODS)(word.toUpperCase()))
    .argument('<path>', 'e.g. /api/v1/contracts; {pk} stands for your public key')
    .argument('[body]', 'JSON, @FILE, or - for standard input')
    .option('--as <role>', 'whose key: tenant, provider, or anyone for no signature', 'tenant')
    .option('--idempotency-key <key>', 'repeat the same call safely')
    .action(async (method: string, path: string, body: string | undefined) => {
      const session = open(command);
      const options = Options.safeParse(command.opts());
      if (!options.success) throw new Failure('Usage', '--as must be tenant, provider or anyone');
      await call(session, {
        method,
        path,
        body: await readBody(session.context, body),
        options: options.data,
        exitCode,
      });
    });
  examples(
    command,
    `dcm call GET /api/v1/contracts
dcm call POST /api/v1/contracts @order.json --idempotency-key order-7
dcm call GET /api/v1/providers/{pk}/pools --as provider
echo '{"note":"done"}' | dcm call PUT /api/v1/contracts/ID/cancel -`,
  );
}

type Call = Readonly<{
  method: string;
  path: string;
  body: unknown;
  options: z.infer<typeof Options>;
  exitCode: ExitCode;
}>;

async function call(
  { api: open, print, context }: Session,
  { method, path, body, options, exitCode }: Call,
): Promise<void> {
  const api = await open(options.as);
  const response = await api.send({
    method,
    path: path.replaceAll('{pk}', api.publicKey ?? '{pk}'),
    body,
    idempotencyKey: options.idempotencyKey,
    accept: '*/*',
  });
  if (!response.ok) exitCode.value = EXIT_CODES.Refused;
  const type = response.headers.get('content-type') ?? '';
  if (type.startsWith('text/event-stream') && response.body) {
    const decoder = new TextDecoder();
    for await (const chunk of response.body) context.stdout.write(decoder.decode(chunk, { stream: true }));
    return;
  }
  const answer = await response.text();
  if (/[/+]json\b/.test(type)) return print.json(JSON.parse(answer));
  context.stdout.write(answer);
}

/** Throws a Usage failure for what is no JSON: the server would only say the same. */
async function readBody(context: Context, given: string | undefined): Promise<unknown> {
  if (given === undefined) return undefined;
  const source = await readSource(context, given);
  try {
    return JSON.parse(source);
  } catch (cause) {
    throw new Failure('Usage', `the body is not JSON: ${cause instanceof Error ? cause.message : ''}`, {
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
