/** `dcm call METHOD PATH [BODY]`: any call, signed. */
import { z } from 'zod';
import { examples, oneOf } from '../arguments.ts';
import { readJson } from '../config-argument.ts';
import { EXIT_CODES, Failure } from '../failure.ts';
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
        body:
          body === undefined ? undefined : await readJson(session.context, { given: body, what: 'the body' }),
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
