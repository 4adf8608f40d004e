/** `dcm contracts` and `dcm contract ID`: what you rent, and why something waits. */
import { z } from 'zod';
import { hasEnded } from '../../crds/contract/phase.ts';
import type { ContractView } from '../../crds/wire/market.ts';
import { examples } from '../arguments.ts';
import { findContract, listContracts } from '../find-contract.ts';
import type { Printer } from '../output/printer.ts';
import { formatTable } from '../output/table.ts';
import { addressWords, ageWords, priceWords, shortId, whenWords } from '../output/words.ts';
import type { Parent } from '../parent.ts';
import { type Session, show } from '../session.ts';
import { printWaiting } from './waiting-words.ts';

const Options = z.object({ all: z.boolean().default(false) });

export function addContractCommands({ program, open }: Parent): void {
  const list = program
    .command('contracts')
    .description('what you rent')
    .option('--all', 'show also what has ended')
    .action(async () => {
      const session = open(list);
      const contracts = await listContracts(await session.api('tenant'));
      const { all } = Options.parse(list.opts());
      show(session, contracts, () => printTable(session, { contracts, all }));
    });
  examples(list, 'dcm contracts\ndcm contracts --all\ndcm contracts --json | jq -r .[].contractId');

  const one = program
    .command('contract')
    .description('one contract: how to reach it, and why it waits')
    .argument('<id>', 'id, its beginning, or a name')
    .action(async (id: string) => {
      const session = open(one);
      const contract = await findContract(await session.api('tenant'), id);
      show(session, contract, () =>
        printDetails(session.print, { contract, now: session.context.clock.now() }),
      );
    });
  examples(one, 'dcm contract c1d09e44\ndcm contract vps-small-k3x9q2m7ta');
}

type Listing = Readonly<{ contracts: readonly ContractView[]; all: boolean }>;

function printTable({ print, context }: Session, { contracts, all }: Listing): void {
  const now = context.clock.now();
  const shown = all ? contracts : contracts.filter(({ phase }) => !hasEnded(phase));
  const hidden = contracts.length - shown.length;
  const columns = [
    { title: 'ID', cell: (row: ContractView) => shortId(row.contractId) },
    { title: 'NAME', cell: (row: ContractView) => row.displayName ?? row.name },
    { title: 'PHASE', cell: (row: ContractView) => row.phase },
    { title: 'OFFERING', cell: (row: ContractView) => row.offering.offeringId },
    { title: 'ADDRESS', cell: (row: ContractView) => addressWords(row.access) },
    { title: 'ENDS', cell: (row: ContractView) => whenWords(row.endsAt, now) },
    { title: 'AGE', cell: (row: ContractView) => ageWords(row.createdAt, now) },
  ];
  if (shown.length > 0) print.line(formatTable(shown, columns, print.paint));
  else print.line(hidden > 0 ? 'You rent nothing at the moment.' : 'You rent nothing yet: dcm offerings');
  if (hidden > 0) print.note(`${hidden} that ended: dcm contracts --all`);
}

type Details = Readonly<{ contract: ContractView; now: Date }>;

function printDetails(print: Printer, { contract, now }: Details): void {
  const { access } = contract;
  const fields: readonly (readonly [string, string | undefined])[] = [
    ['Contract', contract.contractId],
    ['Name', contract.displayName ? `${contract.displayName} (${contract.name})` : contract.name],
    ['Phase', `${contract.phase}${contract.reason ? ` (${contract.reason})` : ''}`],
    ['Waits for', contract.waitingOn],
    ['Offering', `${contract.offering.offeringId}, ${contract.offering.title}`],
    ['Provider', contract.provider.displayName],
    ['Price', priceWords(contract.price)],
    ['Longer', longerWords(contract)],
    ['Address', addressWords(access)],
    ['User', access?.user ?? undefined],
    ['Host key', access?.hostKeyFingerprint ?? undefined],
    ['Ordered', whenWords(contract.createdAt, now)],
    ['Started', whenWords(contract.startsAt, now)],
    ['Tried', contract.provisionBy && `until ${contract.provisionBy}; then it ends`],
    ['Ends', endWords(contract, now)],
    ['Grace', contract.graceEndsAt && `until ${contract.graceEndsAt}: dcm extend brings it back`],
    ['Renews', renewalWords(contract)],
    ['Apart', apartWords(contract)],
    ['Asked', wishWords(contract)],
  ];
  for (const [title, value] of fields)
    if (value !== undefined) print.line(`${print.paint('dim', title.padEnd(10))} ${value}`);
  if (contract.message) print.line(`\n${contract.message}`);
  const { waiting, contractId } = contract;
  if (waiting) printWaiting(print, { contractId, waiting, now });
  const told = ['Ready', ...(waiting ? ['Schedulable'] : [])]; // above, in full
  const bad = contract.conditions.filter(({ type, status }) => status === 'False' && !told.includes(type));
  for (const { type, message } of bad) print.line(`  ${type}: ${message}`);
  if (contract.history.length > 0) print.line('');
  for (const { at, to, reason } of contract.history)
    print.line(`  ${(whenWords(at, now) ?? '').padStart(8)}  ${to.padEnd(12)}  ${reason}`);
}

/** While its provider pauses it the clock stands still, and the end is further off with every hour. */
function endWords({ phase, endsAt, graceEndsAt }: ContractView, now: Date): string | undefined {
  const words = whenWords(endsAt, now);
  return words && phase === 'Paused' && !graceEndsAt ? `${words}, if it goes on now` : words;
}

const renewalWords = ({ autoRenew }: ContractView): string | undefined =>
  autoRenew ? `by ${autoRenew.hours} h at its end, up to ${autoRenew.maxHours} h in all` : undefined;

const APART = {
  Required: 'waits for a host of its own',
  Preferred: 'shares a host when no other is free',
} as const;

const apartWords = ({ antiAffinity }: ContractView): string | undefined =>
  antiAffinity ? `from your others of ${antiAffinity.group}; ${APART[antiAffinity.mode]}` : undefined;

/** Only where it may cost something else than the rental did. */
function longerWords({ extension }: ContractView): string | undefined {
  const { pricing, price, pendingHours } = extension;
  if (pricing === 'Same' || !price) return undefined;
  const waits = pendingHours > 0 ? `; ${pendingHours} h wait until you agree to that` : '';
  return `${priceWords(price)} at the moment (${price.amountMinor} for --price)${waits}`;
}

const STATES = { Open: 'being done', TriedAgain: 'tried again', CannotBeDone: 'cannot be done' } as const;

/** What was asked of the machine and is not done. */
const wishWords = ({ wishes }: ContractView): string | undefined =>
  wishes.length === 0 ? undefined : wishes.map(({ wish, state }) => `${wish} (${STATES[state]})`).join(', ');
