/** `dcm cancel ID`: ends a contract. */
import { z } from 'zod';
import { hasEnded } from '../../crds/contract/phase.ts';
import { ContractView } from '../../crds/wire/market.ts';
import { examples } from '../arguments.ts';
import { findContract } from '../find-contract.ts';
import { followContract, stepPrinter } from '../follow.ts';
import type { Parent } from '../parent.ts';
import type { Session } from '../session.ts';

const Options = z.object({ note: z.string().optional(), wait: z.boolean().default(false) });

export function addCancelCommand({ program, open }: Parent): void {
  const command = program
    .command('cancel')
    .description('end a contract; its machine is destroyed')
    .argument('<id>', 'id, its beginning, or a name')
    .option('--note <text>', 'why, for the provider')
    .option('--wait', 'follow it until the machine is gone')
    .action(async (id: string) => cancel(open(command), { id, ...Options.parse(command.opts()) }));
  examples(command, 'dcm cancel c1d09e44\ndcm cancel build-box --note "no longer needed" --wait');
}

type Wish = Readonly<{ id: string; note?: string | undefined; wait: boolean }>;

async function cancel(
  { api: open, print, context, isJson }: Session,
  { id, note, wait }: Wish,
): Promise<void> {
  const api = await open('tenant');
  const known = await findContract(api, id);
  const { contractId } = known;
  const cancelled = await api.call(ContractView, {
    method: 'PUT',
    path: `/api/v1/contracts/${contractId}/cancel`,
    body: note === undefined ? undefined : { note },
    retry: 'Safe', // asked twice, cancelled once
  });
  if (!wait) {
    if (isJson) return print.json(cancelled);
    return print.line(`${cancelled.name} is ending. ${cancelled.message}`);
  }
  const { clock, signal } = context;
  const ended = await followContract({
    api,
    clock,
    signal,
    contractId,
    onView: isJson ? () => {} : stepPrinter(print, { clock, known }),
    isDone: ({ phase }) => hasEnded(phase),
  });
  if (isJson) print.json(ended);
}
