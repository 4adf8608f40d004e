/** What a tenant wishes of its running machine: `dcm start | stop | restart | reinstall | keys ID`. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { ContractView } from '../../crds/wire/market.ts';
import { examples } from '../arguments.ts';
import { readConfig } from '../config-argument.ts';
import { confirm } from '../confirm.ts';
import { Failure } from '../failure.ts';
import { findContract } from '../find-contract.ts';
import { followContract } from '../follow.ts';
import type { Parent } from '../parent.ts';
import type { Session } from '../session.ts';
import { readSshPublicKey } from '../ssh/public-key.ts';

const Options = z.object({
  wait: z.boolean().default(false),
  yes: z.boolean().default(false),
  config: z.string().optional(),
  sshKey: z.array(z.string()).default([]),
});

type WishName = ContractView['wishes'][number]['wish'];
type Asking = Readonly<{
  id: string;
  wish: WishName;
  path: string;
  method?: 'PUT';
  body?: object;
  wait: boolean;
  said: string;
}>;

const POWER = [
  { name: 'start', action: 'Start', wish: 'Power', what: 'switch the machine on', said: 'is switched on' },
  { name: 'stop', action: 'Stop', wish: 'Power', what: 'switch the machine off', said: 'is switched off' },
  { name: 'restart', action: 'Restart', wish: 'Restart', what: 'restart it, once', said: 'is restarted' },
] as const;

export function addMachineCommands({ program, open }: Parent): void {
  for (const { name, action, wish, what, said } of POWER) {
    const command = program
      .command(name)
      .description(what)
      .argument('<id>', 'id of the contract, its beginning, or a name')
      .option('--wait', 'until it was done')
      .action(async (id: string) => {
        const { wait } = Options.parse(command.opts());
        await ask(open(command), { id, wish, path: 'power', body: { action }, wait, said });
      });
    examples(command, `dcm ${name} c1d09e44\ndcm ${name} build-box --wait`);
  }

  const reinstall = program
    .command('reinstall')
    .description('install the system anew; all data on it is lost, its host key changes')
    .argument('<id>', 'id of the contract, its beginning, or a name')
    .option('--config <json>', 'other settings from now on: JSON, @FILE, or - for standard input')
    .option('--yes', 'do not ask')
    .option('--wait', 'until it was done')
    .action(async (id: string) => {
      const session = open(reinstall);
      const { wait, yes, config } = Options.parse(reinstall.opts());
      const body = config === undefined ? {} : { instanceConfig: await readConfig(session.context, config) };
      const { name } = await findContract(await session.api('tenant'), id);
      if (!yes) await confirm(session, `All data on ${name} is lost. Install it anew?`);
      const said = 'is installed anew; look at its new host key before you log in';
      const asking = { id, wish: 'Reinstall', path: 'reinstall', body } as const;
      await ask(session, { ...asking, wait, said });
    });
  examples(
    reinstall,
    'dcm reinstall build-box\ndcm reinstall c1d09e44 --yes --wait\ndcm reinstall build-box --config \'{"image":"debian-13"}\'',
  );

  const keys = program
    .command('keys')
    .description('change who can log in: these keys, and no others')
    .argument('<id>', 'id of the contract, its beginning, or a name')
    .requiredOption('--ssh-key <file...>', 'public keys, a file each')
    .option('--wait', 'until it was done')
    .action(async (id: string) => {
      const session = open(keys);
      const { wait, sshKey } = Options.parse(keys.opts());
      const sshPublicKeys = await Promise.all(sshKey.map((file) => readSshPublicKey(session.context, file)));
      const said = `lets in ${sshKey.length === 1 ? 'one key' : `${sshKey.length} keys`} from now on`;
      const asking = { id, wish: 'SshKeys', path: 'ssh-keys', body: { sshPublicKeys }, said } as const;
      await ask(session, { ...asking, method: 'PUT', wait });
    });
  examples(keys, 'dcm keys c1d09e44 --ssh-key ~/.ssh/id_ed25519.pub deploy.pub --wait');
}

async function ask(session: Session, asking: Asking): Promise<void> {
  const { print, isJson } = session;
  const { wish, method = 'POST', path, body, wait, said } = asking;
  const api = await session.api('tenant');
  const { contractId, name } = await findContract(api, asking.id);
  const asked = await api.call(ContractView, {
    method,
    path: `/api/v1/contracts/${contractId}/${path}`,
    body,
    idempotencyKey: randomUUID(), // however often it is sent, it is asked once
  });
  const isOpen = (contract: ContractView): boolean => contract.wishes.some((it) => it.wish === wish);
  if (wait && isOpen(asked)) await untilDone(session, { contractId, wish });
  if (isJson) return print.json(asked);
  print.line(`${name} ${said}${isOpen(asked) && !wait ? ' within seconds' : ''}.`);
}

/** Throws Refused when the machine cannot do it. */
async function untilDone(
  session: Session,
  { contractId, wish }: Readonly<{ contractId: string; wish: WishName }>,
): Promise<void> {
  const { clock, signal } = session.context;
  const of = ({ wishes }: ContractView) => wishes.find((it) => it.wish === wish)?.state;
  const contract = await followContract({
    api: await session.api('tenant'),
    clock,
    signal,
    contractId,
    onView: () => {},
    isDone: (view) => of(view) === undefined || of(view) === 'CannotBeDone',
  });
  if (of(contract) === 'CannotBeDone')
    throw new Failure('Refused', `this machine cannot do that: ${contract.offering.title} has no way to`, {
      next: 'Ask its provider, or rent another one.',
    });
}
