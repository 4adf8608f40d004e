/** `dcm rent OFFERING`: orders a machine, safely repeated, and follows it until it can be used. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { hasEnded } from '../../crds/contract/phase.ts';
import { sshPublicKey } from '../../crds/fields.ts';
import { RentResponse } from '../../crds/wire/market.ts';
import { examples, wholeNumber } from '../arguments.ts';
import type { Context } from '../context.ts';
import { EXIT_CODES, Failure } from '../failure.ts';
import { readContract } from '../find-contract.ts';
import { followContract, stepPrinter } from '../follow.ts';
import { isCode } from '../key-file.ts';
import { shortId } from '../output/words.ts';
import type { Parent } from '../program.ts';
import type { ExitCode } from '../run.ts';
import type { Session } from '../session.ts';

const Options = z.object({
  sshKey: z.string().optional(),
  hours: z.number().optional(),
  name: z.string().optional(),
  wait: z.boolean().default(false),
});

export function addRentCommand({ program, open, exitCode }: Parent): void {
  const command = program
    .command('rent')
    .description('rent a machine')
    .argument('<offering>', 'provider/name as `dcm offerings` shows it')
    .option('--ssh-key <file>', 'public key that may log in (default: yours in ~/.ssh)')
    .option('--hours <n>', 'how long (default: as the offering says)', wholeNumber({ min: 1, max: 87_600 }))
    .option('--name <text>', 'your name for it')
    .option('--wait', 'follow it until you can log in')
    .action(async (offeringId: string) => {
      const session = open(command);
      const { sshKey, hours, name, wait } = Options.parse(command.opts());
      const sshPublicKey = await readSshPublicKey(session.context, sshKey);
      await rent(session, { body: { offeringId, sshPublicKey, durationHours: hours, name }, wait, exitCode });
    });
  examples(
    command,
    `dcm rent acme/vps-small --wait
dcm rent acme/vps-small --ssh-key deploy.pub --hours 48 --name build-box`,
  );
}

type Order = Readonly<{
  body: Readonly<{
    offeringId: string;
    sshPublicKey: string;
    durationHours?: number | undefined;
    name?: string | undefined;
  }>;
  wait: boolean;
  exitCode: ExitCode;
}>;

async function rent(session: Session, { body, wait, exitCode }: Order): Promise<void> {
  const { print, context, isJson } = session;
  const api = await session.api('tenant');
  // One key for this invocation: however often the order is sent, it makes one contract.
  const idempotencyKey = randomUUID();
  const rented = await api.call(RentResponse, {
    method: 'POST',
    path: '/api/v1/contracts',
    body,
    idempotencyKey,
  });
  const { contractId, name, message } = rented;
  if (!wait) {
    if (isJson) return print.json(rented);
    print.line(`Rented ${body.offeringId} as ${name} (${shortId(contractId)}). ${message}`);
    return print.note(`Next: dcm contract ${shortId(contractId)}`);
  }
  if (!isJson) print.line(`Rented ${body.offeringId} as ${name} (${shortId(contractId)}).`);
  const { clock, signal } = context;
  const stepSeen = isJson ? () => {} : stepPrinter(print, { clock });
  try {
    const contract = await followContract({
      api,
      clock,
      signal,
      contractId,
      onView: stepSeen,
      isDone: ({ phase }) => phase === 'Active' || hasEnded(phase),
    });
    if (isJson) print.json(await readContract(api, contractId));
    if (contract.phase !== 'Active') exitCode.value = EXIT_CODES.Refused;
    else if (!isJson) print.note(`Log in: dcm ssh ${shortId(contractId)}`);
  } catch (error) {
    if (signal.aborted)
      print.note(
        `\nThe order stands. See it: dcm contract ${shortId(contractId)}, end it: dcm cancel ${shortId(contractId)}`,
      );
    throw error;
  }
}

const DEFAULT_KEYS = ['id_ed25519.pub', 'id_ecdsa.pub', 'id_rsa.pub'] as const;

/** The one line of a public key file. Throws a Usage failure that says what the file is instead. */
async function readSshPublicKey(context: Context, file: string | undefined): Promise<string> {
  if (file !== undefined) return parseSshPublicKey(await readText(file), file);
  for (const name of DEFAULT_KEYS) {
    const path = join(context.homeFolder, '.ssh', name);
    const text = await readText(path).catch((error: unknown) => {
      if (error instanceof Failure && isCode(error.cause, 'ENOENT')) return undefined;
      throw error;
    });
    if (text !== undefined) return parseSshPublicKey(text, path);
  }
  throw new Failure('Usage', `there is no SSH key in ${join(context.homeFolder, '.ssh')}`, {
    next: 'Name a public key with --ssh-key FILE, or make one with `ssh-keygen -t ed25519`.',
  });
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const what = isCode(cause, 'ENOENT') ? `there is no file ${file}` : `${file} cannot be read`;
    throw new Failure('Usage', what, { next: 'Name a public SSH key with --ssh-key FILE.', cause });
  }
}

export function parseSshPublicKey(text: string, file: string): string {
  if (text.includes('PRIVATE KEY'))
    throw new Failure('Usage', `${file} is a private key; it stays with you and is never sent`, {
      next: `Name the public one, usually --ssh-key ${file}.pub`,
    });
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const [line, second] = lines;
  if (line !== undefined && second === undefined && sshPublicKey().safeParse(line).success) return line;
  throw new Failure(
    'Usage',
    second === undefined ? `${file} is no SSH public key` : `${file} holds ${lines.length} lines`,
    {
      next: 'Name a file with one public key, a line like `ssh-ed25519 AAAA… you@host`.',
    },
  );
}
