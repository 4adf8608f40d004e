/** `dcm ssh ID [-- command]`: logs in, to the machine whose host key the agent reported and to no other. */
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { examples } from '../arguments.ts';
import { Failure } from '../failure.ts';
import { findContract } from '../find-contract.ts';
import { isCode } from '../key-file.ts';
import type { ExitCode, Parent } from '../parent.ts';
import type { Session } from '../session.ts';
import { knownHostsLine, type Login, loginOf, sshArguments } from '../ssh/command.ts';
import type { HostKey } from '../ssh/host-key.ts';

const Options = z.object({ identity: z.string().optional() });

export function addSshCommand({ program, open, exitCode }: Parent): void {
  const command = program
    .command('ssh')
    .description('log in to a machine that you rent; its host key is checked')
    .argument('<id>', 'id of the contract, its beginning, or a name')
    .argument('[command...]', 'what to run there instead of a shell, after --')
    .option('-i, --identity <file>', 'private SSH key to log in with')
    .action(async (id: string, remoteCommand: string[]) => {
      const session = open(command);
      const { identity = (await session.settings()).sshIdentity } = Options.parse(command.opts());
      await ssh(session, { id, identity, remoteCommand, exitCode });
    });
  examples(command, 'dcm ssh c1d09e44\ndcm ssh build-box -i ~/.ssh/deploy\ndcm ssh c1d09e44 -- uname -a');
}

type Visit = Readonly<{
  id: string;
  identity: string | undefined;
  remoteCommand: readonly string[];
  exitCode: ExitCode;
}>;

async function ssh(session: Session, { id, identity, remoteCommand, exitCode }: Visit): Promise<void> {
  const contract = await findContract(await session.api('tenant'), id);
  const login = loginOf(contract);
  const pinned = await pinHostKey(session, { login, contractId: contract.contractId });
  const args = sshArguments({ login, knownHostsFile: pinned?.file, identity, remoteCommand });
  try {
    exitCode.value = await runSsh(session, args);
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
    if (!pinned)
      throw new Failure('Usage', 'there is no ssh program here, and no host key to check without one', {
        next: 'Install OpenSSH.',
        cause: error,
      });
    // Loaded only here: it is large, and nearly every machine has ssh.
    const { openTerminal } = await import('../ssh/terminal.ts');
    exitCode.value = await openTerminal(session.context, {
      login,
      hostKey: pinned.hostKey,
      identity,
      remoteCommand,
    });
  }
}

type Pin = Readonly<{ login: Login; contractId: string }>;

type Pinned = Readonly<{ hostKey: HostKey; file: string }>;

/** The key that was verified, alone in a known_hosts file; undefined when the agent has reported none. */
async function pinHostKey(session: Session, { login, contractId }: Pin): Promise<Pinned | undefined> {
  if (login.fingerprint === undefined) {
    session.print.note('The agent has reported no host key; ssh asks you whether to trust the one it finds.');
    return undefined;
  }
  const { verifyHostKey } = await import('../ssh/host-key.ts');
  const hostKey = await verifyHostKey(login, login.fingerprint);
  const folder = join((await session.settings()).folder, 'known_hosts.d');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, contractId);
  await writeFile(file, knownHostsLine(login, hostKey), { mode: 0o600 });
  return { hostKey, file };
}

/** The exit code of the system's ssh. Rejects with ENOENT when there is none. */
function runSsh({ context }: Session, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    // It inherits the terminal; Ctrl-C reaches it directly, and it decides what that means.
    const child = spawn('ssh', args, { stdio: 'inherit', env: { ...context.env } });
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
  });
}
