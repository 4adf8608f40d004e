/** `dcm pool create | list | show`, `dcm pools`; what can be changed of one is in `pool-settings.ts`. */
import { z } from 'zod';
import { PROVISIONER_TYPES } from '../../crds/fields.ts';
import { REGIONS } from '../../crds/regions.ts';
import { PoolView } from '../../crds/wire/pools.ts';
import { examples, oneOf } from '../arguments.ts';
import type { Parent } from '../parent.ts';
import { ownKey, show } from '../session.ts';
import { addPoolSettings } from './pool-settings.ts';
import { printPool, printPools } from './pool-words.ts';

const Options = z.object({ location: z.string(), type: z.string() });

export function addPoolCommands(parent: Parent): void {
  const { program, open } = parent;
  const pool = program.command('pool').description('groups of your agents');
  const create = pool
    .command('create')
    .description('make a pool; its location and type are for life')
    .argument('<name>', 'name; the pool id is made from it')
    .requiredOption('--location <region>', `one of ${REGIONS.join(', ')}`, oneOf(REGIONS))
    .requiredOption('--type <type>', `one of ${PROVISIONER_TYPES.join(', ')}`, oneOf(PROVISIONER_TYPES))
    .action(async (name: string) => {
      const session = open(create);
      const { location, type } = Options.parse(create.opts());
      const api = await session.api('provider');
      const made = await api.call(PoolView, {
        method: 'POST',
        path: `/api/v1/providers/${ownKey(api)}/pools`,
        body: { name, location, provisionerType: type },
      });
      show(session, made, () => {
        session.print.line(`Pool ${made.poolId} is there: ${made.provisionerType} in ${made.location}.`);
        session.print.note(`Next: dcm token create ${made.poolId} --label HOST`);
      });
    });
  examples(create, 'dcm pool create europe-proxmox --location europe --type proxmox');

  const lists = [pool.command('list'), program.command('pools')];
  for (const list of lists) {
    list
      .description('your pools: their agents, what is free, what waits, how the attempts of a day ended')
      .action(async () => {
        const session = open(list);
        const api = await session.api('provider');
        const path = `/api/v1/providers/${ownKey(api)}/pools`;
        const pools = await api.call(z.array(PoolView), { method: 'GET', path });
        show(session, pools, () => printPools(session, pools));
      });
    examples(list, 'dcm pools\ndcm pools --json');
  }
  const look = pool
    .command('show')
    .description('one pool: how it does, and all that can be set of it')
    .argument('<pool>', 'pool id')
    .action(async (name: string) => {
      const session = open(look);
      const api = await session.api('provider');
      const path = `/api/v1/providers/${ownKey(api)}/pools/${encodeURIComponent(name)}`;
      const found = await api.call(PoolView, { method: 'GET', path });
      show(session, found, () => printPool(session, found));
    });
  examples(look, 'dcm pool show europe-proxmox');
  addPoolSettings(pool, parent);
}
