/** `dcm pool create | list`; what can be changed of one is in `pool-settings.ts`. */
import { z } from 'zod';
import { PROVISIONER_TYPES } from '../../crds/fields.ts';
import { REGIONS } from '../../crds/regions.ts';
import { PoolView } from '../../crds/wire/pools.ts';
import { examples, oneOf } from '../arguments.ts';
import { formatTable } from '../output/table.ts';
import { ageWords } from '../output/words.ts';
import type { Parent } from '../parent.ts';
import { ownKey, show } from '../session.ts';
import { addPoolSettings } from './pool-settings.ts';

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

  const list = pool
    .command('list')
    .description('your pools and how many of their agents are online')
    .action(async () => {
      const session = open(list);
      const api = await session.api('provider');
      const pools = await api.call(z.array(PoolView), {
        method: 'GET',
        path: `/api/v1/providers/${ownKey(api)}/pools`,
      });
      show(session, pools, () => {
        const { print, context } = session;
        if (pools.length === 0)
          return print.line('No pool yet: dcm pool create NAME --location REGION --type TYPE');
        const columns = [
          { title: 'POOL', cell: (row: PoolView) => row.poolId },
          { title: 'REGION', cell: (row: PoolView) => row.location },
          { title: 'TYPE', cell: (row: PoolView) => row.provisionerType },
          { title: 'ONLINE', cell: (row: PoolView) => `${row.online}/${row.agents}` },
          { title: 'ACTIVE', cell: (row: PoolView) => row.activeContracts },
          { title: 'AGE', cell: (row: PoolView) => ageWords(row.createdAt, context.clock.now()) },
        ];
        print.line(formatTable(pools, columns, print.paint));
      });
    });
  examples(list, 'dcm pool list');
  addPoolSettings(pool, parent);
}
