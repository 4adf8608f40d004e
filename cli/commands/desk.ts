/** A provider's desk: `dcm provider contracts | contract ID`, `dcm retry ID`, `dcm force-release ID`. */
import type { Command } from 'commander';
import { z } from 'zod';
import { PHASES } from '../../crds/contract/phase.ts';
import type { Holder } from '../../crds/contract/status.ts';
import { DeskContractView } from '../../crds/wire/desk.ts';
import { ContractId } from '../../crds/wire/market.ts';
import { examples, oneOf } from '../arguments.ts';
import type { Api } from '../client/client.ts';
import { confirm } from '../confirm.ts';
import { Failure } from '../failure.ts';
import { matchContract } from '../find-contract.ts';
import type { Printer } from '../output/printer.ts';
import { formatTable } from '../output/table.ts';
import { ageWords, shortId, whenWords } from '../output/words.ts';
import type { Parent } from '../parent.ts';
import { type Session, show } from '../session.ts';
import { printPlacement } from './waiting-words.ts';

const PATH = '/api/v1/provider/contracts';
const LISTED_MAX = 200;
const ListOptions = z.object({ phase: z.enum(PHASES).optional() });
const ForceOptions = z.object({
  agent: z.string().min(1),
  epoch: z.coerce.number().int().min(0).optional(),
  reason: z.string().min(1).max(500),
  yes: z.boolean().default(false),
});

/** `provider` is the command that `dcm provider …` hangs on. */
export function addDeskCommands(parent: Parent, provider: Command): void {
  const { program, open } = parent;
  const list = provider
    .command('contracts')
    .description('contracts on your machines')
    .option('--phase <phase>', 'only these, e.g. Failed', oneOf(PHASES))
    .action(async () => {
      const session = open(list);
      const contracts = await listContracts(await session.api('provider'), ListOptions.parse(list.opts()));
      show(session, contracts, () => printTable(session, contracts));
    });
  examples(list, 'dcm provider contracts\ndcm provider contracts --phase Failed');

  const one = provider
    .command('contract')
    .description('one of them: why it waits, every attempt to build it, who may have a machine of it')
    .argument('<id>', 'id, its beginning, or a name')
    .action(async (id: string) => {
      const session = open(one);
      const contract = await findContract(await session.api('provider'), id);
      show(session, contract, () =>
        printDetail(session.print, { contract, now: session.context.clock.now() }),
      );
    });
  examples(one, 'dcm provider contract c1d09e44');

  const again = program
    .command('retry')
    .description('as a provider: try again what failed')
    .argument('<id>', 'id, its beginning, or a name')
    .action(async (id: string) => retry(open(again), id));
  examples(again, 'dcm retry c1d09e44');

  const force = program
    .command('force-release')
    .description('as a provider: give up a machine that nobody will ever confirm to be gone')
    .argument('<id>', 'id, its beginning, or a name')
    .requiredOption('--agent <name>', 'agent that holds it, as `dcm provider contract` shows')
    .option('--epoch <number>', 'which epoch, where it holds several')
    .requiredOption('--reason <text>', 'why; kept for good, with your key')
    .option('--yes', 'do not ask')
    .action(async (id: string) => forceRelease(open(force), id, ForceOptions.parse(force.opts())));
  examples(force, 'dcm force-release c1d09e44 --agent node-3 --reason "the host burnt down"');
}

const listContracts = (
  api: Api,
  { phase }: z.infer<typeof ListOptions> = {},
): Promise<DeskContractView[]> => {
  const query = new URLSearchParams({ limit: String(LISTED_MAX), ...(phase ? { phase } : {}) });
  return api.call(z.array(DeskContractView), { method: 'GET', path: `${PATH}?${query}` });
};

/** Throws Refused when nothing fits, Usage when more than one does. */
export async function findContract(api: Api, typed: string): Promise<DeskContractView> {
  const isWhole = ContractId.safeParse(typed).success;
  const id = isWhole ? typed : matchContract(await listContracts(api), typed).contractId;
  return api.call(DeskContractView, { method: 'GET', path: `${PATH}/${id}` });
}

async function retry(session: Session, typed: string): Promise<void> {
  const api = await session.api('provider');
  const { contractId, name, detail } = await findContract(api, typed);
  const answer = await api.call(DeskContractView, {
    method: 'PUT',
    path: `${PATH}/${contractId}/retry`,
    body: { count: detail.retries + 1 },
    retry: 'Safe', // by its number: asked twice, tried again once
  });
  show(session, answer, () => session.print.line(`${name} is tried again.`));
}

async function forceRelease(
  session: Session,
  typed: string,
  { agent, epoch, reason, yes }: z.infer<typeof ForceOptions>,
): Promise<void> {
  const api = await session.api('provider');
  const { contractId, name, detail } = await findContract(api, typed);
  const holder = matchHolder(detail.holders, { agent, epoch });
  if (!yes)
    await confirm(
      session,
      `Nobody will wait any more for ${holder.agent} to confirm that its machine of ${name} is gone. Is it gone for certain?`,
    );
  const answer = await api.call(DeskContractView, {
    method: 'POST',
    path: `${PATH}/${contractId}/force-release`,
    body: { agentUid: holder.agentUID, epoch: holder.epoch, reason },
    retry: 'Safe', // the same entry is released once
  });
  show(session, answer, () => session.print.line(`${name} waits no more for ${holder.agent}.`));
}

/** Throws Refused when the agent holds nothing of it, Usage when it holds several epochs. */
export function matchHolder(
  holders: readonly Holder[],
  { agent, epoch }: Readonly<{ agent: string; epoch?: number | undefined }>,
): Holder {
  const fitting = holders.filter(
    (holder) => holder.agent === agent && (epoch === undefined || holder.epoch === epoch),
  );
  const [first, second] = fitting;
  if (first && !second) return first;
  const held = holders.map((holder) => `${holder.agent} (epoch ${holder.epoch})`).join(', ');
  if (!first)
    throw new Failure(
      'Refused',
      `${agent} holds nothing of it${epoch === undefined ? '' : ` in epoch ${epoch}`}`,
      {
        next: held === '' ? 'Nobody does: there is nothing to release.' : `These do: ${held}.`,
      },
    );
  throw new Failure('Usage', `${agent} holds several epochs of it: ${held}`, {
    next: 'Name one with --epoch.',
  });
}

function printTable({ print, context }: Session, contracts: readonly DeskContractView[]): void {
  if (contracts.length === 0) {
    print.line('There is no such contract on your machines.');
    return;
  }
  const now = context.clock.now();
  const columns = [
    { title: 'ID', cell: (row: DeskContractView) => shortId(row.contractId) },
    { title: 'NAME', cell: (row: DeskContractView) => row.name },
    { title: 'PHASE', cell: (row: DeskContractView) => row.phase },
    { title: 'REASON', cell: (row: DeskContractView) => row.reason },
    { title: 'AGENT', cell: (row: DeskContractView) => row.detail.agent },
    { title: 'TRIES', cell: (row: DeskContractView) => row.detail.failures },
    { title: 'AGE', cell: (row: DeskContractView) => ageWords(row.createdAt, now) },
  ];
  print.line(formatTable(contracts, columns, print.paint));
}

type Detail = Readonly<{ contract: DeskContractView; now: Date }>;

function printDetail(print: Printer, { contract, now }: Detail): void {
  const { detail } = contract;
  print.line(`${contract.name} (${contract.contractId})`);
  const { placement } = detail;
  // Of why it waits this is the head; the lines are below, by pool.
  const message = placement ? placement.message.split(/:?\n/, 1)[0] : (detail.message ?? contract.message);
  print.line(`${contract.phase}${contract.reason ? ` (${contract.reason})` : ''}: ${message}`);
  if (placement) printPlacement(print, { placement, now });
  if (detail.attempts.length > 0) print.line('\nAttempts');
  for (const { agent, epoch, endedAt, outcome, class: kind, message } of detail.attempts)
    print.line(
      `  ${(whenWords(endedAt, now) ?? '').padStart(8)}  ${agent}  epoch ${epoch}  ${outcome}${kind ? ` (${kind})` : ''}${message ? `: ${message}` : ''}`,
    );
  if (detail.holders.length > 0) print.line('\nMay have a machine of it');
  for (const { agent, epoch } of detail.holders) print.line(`  ${agent}  epoch ${epoch}`);
  if (detail.abandoned.length > 0) print.line('\nNever confirmed that its machine is gone');
  for (const { agent, epoch, how, by, onBehalfOf, reason } of detail.abandoned)
    print.line(`  ${agent}  epoch ${epoch}  ${how} by ${onBehalfOf ?? by}${reason ? `: ${reason}` : ''}`);
  if (detail.canRetry) print.note(`Try it again: dcm retry ${shortId(contract.contractId)}`);
}
