/** `dcm password ID`: opens the machine's password with your key; nobody between machine and key knows it. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { openCredentials, type Secret } from '../../crds/contract/credentials.ts';
import { CredentialsView } from '../../crds/wire/actions.ts';
import { ContractView } from '../../crds/wire/market.ts';
import { examples } from '../arguments.ts';
import type { Api } from '../client/client.ts';
import { Failure } from '../failure.ts';
import { findContract } from '../find-contract.ts';
import { readKeyFile } from '../key-file.ts';
import type { Parent } from '../parent.ts';
import type { Session } from '../session.ts';

const Options = z.object({ reset: z.boolean().default(false) });

const LOOK_AGAIN_MS = 500;
const WAIT_MS = 120_000;

export function addPasswordCommand({ program, open }: Parent): void {
  const command = program
    .command('password')
    .description('show the password of a machine; --reset sets a new one first')
    .argument('<id>', 'id of the contract, its beginning, or a name')
    .option('--reset', 'set a new one, and wait for it')
    .action(async (id: string) => password(open(command), { id, ...Options.parse(command.opts()) }));
  examples(command, 'dcm password c1d09e44 --reset\ndcm password build-box --json | jq -r .password');
}

type Asked = Readonly<{ id: string; reset: boolean }>;

async function password(session: Session, { id, reset }: Asked): Promise<void> {
  const api = await session.api('tenant');
  const { contractId, name } = await findContract(api, id);
  const path = `/api/v1/contracts/${contractId}`;
  if (reset)
    await api.call(ContractView, {
      method: 'POST',
      path: `${path}/reset-password`,
      idempotencyKey: randomUUID(), // however often it is sent, one is set
    });
  const { credentials } = await settled(session, { api, path });
  if (!credentials)
    throw new Failure('Refused', `${name} has no password`, {
      next: `Log in with your SSH key, or set one: dcm password ${id} --reset`,
    });
  const { user = credentials.user, password: text } = await opened(session, { contractId, credentials });
  if (session.isJson) return session.print.json({ user, password: text, setAt: credentials.setAt });
  session.print.note(user ? `Of user ${user}:` : 'The password:');
  session.print.line(text);
}

type Sealed = Readonly<{ contractId: string; credentials: NonNullable<CredentialsView['credentials']> }>;

/** Throws Refused when it was sealed for another key. */
async function opened(session: Session, { contractId, credentials }: Sealed): Promise<Secret> {
  const { keyFile } = await session.settings();
  const { seed } = await readKeyFile(keyFile('tenant'));
  try {
    return openCredentials(seed, credentials.sealed, { contractId, count: credentials.passwordReset });
  } catch (cause) {
    throw new Failure('Refused', `the password cannot be opened with ${keyFile('tenant')}`, {
      next: 'It was sealed for another key, or changed on its way; set a new one with --reset.',
      cause,
    });
  }
}

/** Once none is on its way any more. Throws Refused when it cannot be set, or takes too long. */
async function settled(
  { context: { clock, signal } }: Session,
  { api, path }: Readonly<{ api: Api; path: string }>,
): Promise<CredentialsView> {
  const endMs = clock.monotonicMs() + WAIT_MS;
  for (;;) {
    const view = await api.call(CredentialsView, { method: 'GET', path: `${path}/credentials` });
    if (view.done >= view.asked) return view;
    if (view.problem === 'CannotBeSet')
      throw new Failure('Refused', 'this machine has no way to set a password', {
        next: 'Log in with your SSH key; `dcm keys` changes who can.',
      });
    if (clock.monotonicMs() >= endMs)
      throw new Failure('Refused', `the password was not set within ${WAIT_MS / 1000} s`, {
        next: 'It is still tried. Look again later: dcm password ID',
      });
    await clock.sleep(LOOK_AGAIN_MS, { signal });
  }
}
