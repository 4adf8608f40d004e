/** `dcm pool set POOL …` and `dcm pool maintenance POOL`. */
import { type Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { PoolView } from '../../crds/wire/pools.ts';
import { examples } from '../arguments.ts';
import { Failure } from '../failure.ts';
import type { Parent } from '../parent.ts';
import { ownKey, show } from '../session.ts';
import { whenOf } from '../when.ts';
import { addWindowOptions, WindowOptions, windowsOf, windowWords } from './windows.ts';

const Overcommit = z.object({ cpu: z.int(), memory: z.int(), disk: z.int() });
const Options = z.object({
  displayName: z.string().optional(),
  pause: z.boolean().optional(),
  resume: z.boolean().optional(),
  minVersion: z.string().optional(),
  upgradeTo: z.string().optional(),
  notBefore: z.string().optional(),
  overcommit: z.union([Overcommit, z.literal('none')]).optional(),
});
type Options = z.infer<typeof Options>;

export function addPoolSettings(pool: Command, { open }: Parent): void {
  const set = pool
    .command('set')
    .description('change a pool; its location and type are for life')
    .argument('<pool>', 'pool id')
    .option('--display-name <name>', 'name for people')
    .option('--pause', 'build nothing new in it')
    .option('--resume', 'build again')
    .option('--min-version <version>', 'agents that are older get no new work; none: any version')
    .option('--upgrade-to <version>', 'tell older agents to upgrade; none: no longer')
    .option('--not-before <when>', 'when they are told: 2h, 3d or an instant')
    .option('--overcommit <percents>', 'as in cpu=400,memory=100,disk=100; none: what there is', percents)
    .action(async (name: string) => {
      const session = open(set);
      const body = bodyOf(Options.parse(set.opts()), session.context.clock.now());
      const api = await session.api('provider');
      const path = `/api/v1/providers/${ownKey(api)}/pools/${encodeURIComponent(name)}`;
      const changed = await api.call(PoolView, { method: 'PUT', path, body, retry: 'Safe' });
      show(session, changed, () => session.print.line(`Pool ${changed.poolId} is changed.`));
    });
  examples(
    set,
    'dcm pool set europe-proxmox --min-version 1.2.0\ndcm pool set europe-proxmox --upgrade-to 1.3.0 --not-before 3d\ndcm pool set europe-proxmox --overcommit cpu=400,memory=100,disk=80',
  );
  const maintenance = addWindowOptions(
    pool
      .command('maintenance')
      .description('say from when until when nothing is begun in it; --clear for never')
      .argument('<pool>', 'pool id'),
  ).action(async (name: string) => {
    const session = open(maintenance);
    const windows = windowsOf(WindowOptions.parse(maintenance.opts()), session.context.clock.now());
    const api = await session.api('provider');
    const path = `/api/v1/providers/${ownKey(api)}/pools/${encodeURIComponent(name)}/maintenance`;
    const changed = await api.call(PoolView, { method: 'PUT', path, body: { windows }, retry: 'Safe' });
    show(session, changed, () => session.print.line(`Pool ${changed.poolId} ${windowWords(windows)}.`));
  });
  examples(
    maintenance,
    'dcm pool maintenance europe-proxmox --from 3d --until 4d --reason "power"\ndcm pool maintenance europe-proxmox --from 2026-02-01T02:00:00Z --until 2026-02-01T04:00:00Z --every week',
  );
}

function bodyOf(
  { displayName, pause, resume, minVersion, upgradeTo, notBefore, overcommit }: Options,
  now: Date,
): object {
  const body = {
    ...(displayName === undefined ? {} : { displayName }),
    ...(pause ? { paused: true } : resume ? { paused: false } : {}),
    ...(minVersion === undefined ? {} : { minVersion: minVersion === 'none' ? null : minVersion }),
    ...(upgradeTo === undefined
      ? {}
      : {
          upgrade:
            upgradeTo === 'none'
              ? null
              : {
                  toVersion: upgradeTo,
                  ...(notBefore ? { notBefore: whenOf(notBefore, { option: '--not-before', now }) } : {}),
                },
        }),
    ...(overcommit === undefined
      ? {}
      : {
          overcommit:
            overcommit === 'none'
              ? null
              : {
                  cpuPercent: overcommit.cpu,
                  memoryPercent: overcommit.memory,
                  storagePercent: overcommit.disk,
                },
        }),
  };
  if (Object.keys(body).length === 0)
    throw new Failure('Usage', 'it is not said what to change', {
      next: 'dcm pool set --help shows what can be.',
    });
  return body;
}

/** `cpu=400,memory=100`: 100 for what is left out. */
function percents(text: string): z.infer<typeof Overcommit> | 'none' {
  if (text === 'none') return 'none';
  const pairs = text.split(',').map((part) => /^(cpu|memory|disk)=(\d{2,5})$/.exec(part));
  if (pairs.some((pair) => pair === null))
    throw new InvalidArgumentError('It must be as in cpu=400,memory=100,disk=100, in percent.');
  const said = Object.fromEntries(pairs.map((pair) => [pair?.[1], Number(pair?.[2])]));
  return { cpu: 100, memory: 100, disk: 100, ...said };
}
