/** What a provider decides: `dcm provider requests | accept | reject | pause | resume | cancel | auto-accept`. */
import type { Command } from 'commander';
import { z } from 'zod';
import { AutoAcceptSettings, DeskContractView } from '../../crds/wire/desk.ts';
import { examples, oneOf } from '../arguments.ts';
import { confirm } from '../confirm.ts';
import { formatTable } from '../output/table.ts';
import { ageWords, shortId } from '../output/words.ts';
import type { Parent } from '../parent.ts';
import { type Session, show } from '../session.ts';
import { findContract } from './desk.ts';

const REQUESTS = '/api/v1/provider/rental-requests';
const CONTRACTS = '/api/v1/provider/contracts';
const Options = z.object({
  note: z.string().optional(),
  reason: z.string().optional(),
  yes: z.boolean().default(false),
});

export function addDecisionCommands({ open }: Parent, provider: Command): void {
  const requests = provider
    .command('requests')
    .description('rentals that wait for your decision, oldest first')
    .action(async () => list(open(requests)));
  examples(requests, 'dcm provider requests');

  const accept = decision('accept', 'accept a rental that waits for you').action(async (id: string) =>
    decide(open(accept), id, { accept: true, ...noteOf(accept) }),
  );
  examples(accept, 'dcm provider accept c1d09e44');
  const reject = decision('reject', 'reject a rental that waits for you').action(async (id: string) =>
    decide(open(reject), id, { accept: false, ...noteOf(reject) }),
  );
  examples(reject, 'dcm provider reject c1d09e44 --note "not this week"');

  const pause = provider
    .command('pause')
    .description('suspend a machine; the time is credited to its tenant')
    .argument('<id>', 'id, its beginning, or a name')
    .option('--reason <text>', 'what the tenant is told')
    .action(async (id: string) => {
      const { reason } = Options.parse(pause.opts());
      await change(open(pause), id, {
        what: 'pause',
        body: reason ? { reason } : undefined,
        said: 'is paused',
      });
    });
  examples(pause, 'dcm provider pause c1d09e44 --reason "abuse report 17"');
  const resume = provider
    .command('resume')
    .description('let a suspended machine go on')
    .argument('<id>', 'id, its beginning, or a name')
    .action(async (id: string) => change(open(resume), id, { what: 'resume', said: 'goes on' }));
  examples(resume, 'dcm provider resume c1d09e44');

  const cancel = decision('cancel', 'end a contract; its machine is destroyed')
    .option('--yes', 'do not ask')
    .action(async (id: string) => {
      const session = open(cancel);
      const { yes, note } = Options.parse(cancel.opts());
      const { name } = await findContract(await session.api('provider'), id);
      if (!yes) await confirm(session, `The machine of ${name} is destroyed. End the contract?`);
      await change(session, id, { what: 'cancel', body: note ? { note } : undefined, said: 'is ending' });
    });
  examples(cancel, 'dcm provider cancel c1d09e44 --note "we close down" --yes');

  const automatic = provider
    .command('auto-accept')
    .description('accept every rental that fits your rules, or decide on each by hand')
    .argument('<on|off>', 'on or off', oneOf(['on', 'off']))
    .action(async (word: string) => settle(open(automatic), word === 'on'));
  examples(automatic, 'dcm provider auto-accept off');

  function decision(name: string, what: string): Command {
    return provider
      .command(name)
      .description(what)
      .argument('<id>', 'id, its beginning, or a name')
      .option('--note <text>', 'what the tenant is told');
  }
}

const noteOf = (command: Command): { note?: string } => {
  const { note } = Options.parse(command.opts());
  return note ? { note } : {};
};

async function list(session: Session): Promise<void> {
  const api = await session.api('provider');
  const waiting = await api.call(z.array(DeskContractView), { method: 'GET', path: REQUESTS });
  const now = session.context.clock.now();
  const columns = [
    { title: 'ID', cell: (row: DeskContractView) => shortId(row.contractId) },
    { title: 'NAME', cell: (row: DeskContractView) => row.name },
    { title: 'OFFERING', cell: (row: DeskContractView) => row.offering.offeringId },
    { title: 'HOURS', cell: (row: DeskContractView) => row.durationHours },
    { title: 'AGE', cell: (row: DeskContractView) => ageWords(row.createdAt, now) },
  ];
  show(session, waiting, () => {
    if (waiting.length === 0) session.print.line('Nothing waits for you.');
    else session.print.line(formatTable(waiting, columns, session.print.paint));
  });
}

type Verdict = Readonly<{ accept: boolean; note?: string }>;

async function decide(session: Session, typed: string, verdict: Verdict): Promise<void> {
  const api = await session.api('provider');
  const { contractId, name } = await findContract(api, typed);
  const path = `${REQUESTS}/${contractId}/respond`;
  const answer = await api.call(DeskContractView, { method: 'POST', path, body: verdict, retry: 'Safe' });
  show(session, answer, () => session.print.line(`${name} is ${verdict.accept ? 'accepted' : 'rejected'}.`));
}

type Change = Readonly<{ what: 'pause' | 'resume' | 'cancel'; body?: object | undefined; said: string }>;

async function change(session: Session, typed: string, { what, body, said }: Change): Promise<void> {
  const api = await session.api('provider');
  const { contractId, name } = await findContract(api, typed);
  const path = `${CONTRACTS}/${contractId}/${what}`;
  const answer = await api.call(DeskContractView, { method: 'PUT', path, body, retry: 'Safe' });
  show(session, answer, () => session.print.line(`${name} ${said}.`));
}

async function settle(session: Session, autoAcceptRentals: boolean): Promise<void> {
  const api = await session.api('provider');
  const answer = await api.call(AutoAcceptSettings, {
    method: 'PUT',
    path: '/api/v1/provider/settings/auto-accept',
    body: { autoAcceptRentals },
    retry: 'Safe',
  });
  show(session, answer, () =>
    session.print.line(
      autoAcceptRentals
        ? 'Every rental that fits your rules is accepted at once.'
        : 'You decide on each rental: dcm provider requests',
    ),
  );
}
