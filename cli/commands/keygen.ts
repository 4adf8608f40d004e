/** `dcm keygen`: makes the key that is the caller's identity. */
import { join } from 'node:path';
import { z } from 'zod';
import { examples } from '../arguments.ts';
import { writeNewKeyFile } from '../key-file.ts';
import type { Parent } from '../parent.ts';
import { show } from '../session.ts';
import { configFolder } from '../settings.ts';

const Options = z.object({ out: z.string().min(1).optional() });

export function addKeygenCommand({ program, open }: Parent): void {
  const command = program
    .command('keygen')
    .description('make a key; its public half is who you are')
    .option('--out <file>', 'where to keep it (default ~/.config/dcmarket/key)')
    .action(async () => {
      const session = open(command);
      const file = Options.parse(command.opts()).out ?? join(configFolder(session.context), 'key');
      const { publicKey } = await writeNewKeyFile(file);
      show(session, { file, publicKey }, () => {
        session.print.line(publicKey);
        session.print.note(
          `Your key is in ${file} (0600). Keep a copy: whoever has it is you, and it cannot be made again.`,
        );
      });
    });
  examples(command, 'dcm keygen\ndcm keygen --out provider.key');
}
