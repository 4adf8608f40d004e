/** `dcm token create`: the one line that makes a host an agent. */
import { z } from 'zod';
import { CreatedSetupToken } from '../../crds/wire/pools.ts';
import { examples, wholeNumber } from '../arguments.ts';
import { durationWords } from '../output/words.ts';
import type { Parent } from '../parent.ts';
import { ownKey, show } from '../session.ts';

const Options = z.object({ label: z.string().optional(), expiresInHours: z.number().optional() });

export function addTokenCommands({ program, open }: Parent): void {
  const token = program.command('token').description('let new hosts join');
  const command = token
    .command('create')
    .description('make a setup token: one host can join the pool with it')
    .argument('<pool>', 'pool id')
    .option('--label <name>', 'name of the agent to come')
    .option('--expires-in-hours <n>', '1 to 168 (default 24)', wholeNumber({ min: 1, max: 168 }))
    .action(async (pool: string) => {
      const session = open(command);
      const body = Options.parse(command.opts());
      const api = await session.api('provider');
      const path = `/api/v1/providers/${ownKey(api)}/pools/${encodeURIComponent(pool)}/setup-tokens`;
      const made = await api.call(CreatedSetupToken, { method: 'POST', path, body });
      show(session, made, () => {
        const { print, context } = session;
        // Half a minute more, so that 24 hours do not read as 23 because the answer took a moment.
        const leftMs = Date.parse(made.expiresAt) - context.clock.now().getTime() + 30_000;
        print.note(`Run this on the new host within ${hoursWords(leftMs)}; it works once:\n`);
        print.line(`  ${made.setupCommand}`);
      });
    });
  examples(
    command,
    'dcm token create europe-proxmox --label node-6\ndcm token create europe-proxmox --expires-in-hours 1',
  );
}

function hoursWords(ms: number): string {
  const hours = Math.floor(ms / 3_600_000);
  if (hours < 1) return durationWords(ms);
  return hours === 1 ? 'an hour' : `${hours} hours`;
}
