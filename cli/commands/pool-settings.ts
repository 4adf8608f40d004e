/** `dcm pool set POOL …` and `dcm pool maintenance POOL`. */
import { type Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import type { UpdatePoolRequest } from '../../crds/wire/pool-settings.ts';
import { PoolView } from '../../crds/wire/pools.ts';
import { examples, oneOf, wholeNumber } from '../arguments.ts';
import { Failure } from '../failure.ts';
import type { Parent } from '../parent.ts';
import { ownKey, show } from '../session.ts';
import { whenOf } from '../when.ts';
import { addWindowOptions, WindowOptions, windowsOf, windowWords } from './windows.ts';

const limit = z.union([z.int(), z.literal('none')]).optional();
const Options = z.object({
  displayName: z.string().optional(),
  pause: z.boolean().optional(),
  resume: z.boolean().optional(),
  priority: z.int().optional(),
  fallback: z.array(z.string()).default([]),
  strategy: z.enum(['spread', 'pack']).optional(),
  lockTtl: z.int().optional(),
  instancesPerAgent: limit,
  buildsPerAgent: limit,
  overcommit: z.record(z.string(), z.int()).or(z.literal('none')).optional(),
  minVersion: z.string().optional(),
  upgradeTo: z.string().optional(),
  notBefore: z.string().optional(),
});
type Options = z.infer<typeof Options>;

export function addPoolSettings(pool: Command, { open }: Parent): void {
  const set = pool
    .command('set')
    .alias('update')
    .description('change a pool; its location and type are for life')
    .argument('<pool>', 'pool id')
    .option('--display-name <name>', 'name for people')
    .option('--pause', 'build nothing new in it')
    .option('--resume', 'build again')
    .option('--priority <n>', 'of several pools that fit, the highest is asked first; 0 unless said', integer)
    .option(
      '--fallback <pool=seconds>',
      'who may take over what has waited so long; again for more, all that are to be; none: nobody',
      (text: string, before: readonly string[] = []) => [...before, text],
    )
    .option('--strategy <how>', 'spread load over agents, or pack one first', oneOf(['spread', 'pack']))
    .option(
      '--lock-ttl <seconds>',
      'how long a lock lives without renewal',
      wholeNumber({ min: 5, max: 3600 }),
    )
    .option('--instances-per-agent <n>', 'most contracts of one agent; none: what the agent says', limitOf)
    .option('--builds-per-agent <n>', 'most that one agent builds at a time; none: the usual number', limitOf)
    .option('--overcommit <percents>', 'as in cpu=400,memory=100,disk=100; none: what there is', percents)
    .option('--min-version <version>', 'agents that are older get no new work; none: any version')
    .option('--upgrade-to <version>', 'tell older agents to upgrade; none: no longer')
    .option('--not-before <when>', 'when they are told: 2h, 3d or an instant')
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
    `dcm pool set europe-proxmox --priority 10 --strategy pack --instances-per-agent 20
dcm pool set europe-proxmox --fallback europe-hetzner=120 --fallback by-hand=3600
dcm pool set europe-proxmox --fallback none --lock-ttl 120 --builds-per-agent 4
dcm pool set europe-proxmox --min-version 1.2.0
dcm pool set europe-proxmox --upgrade-to 1.3.0 --not-before 3d
dcm pool set europe-proxmox --overcommit cpu=400,memory=100,disk=80`,
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

function bodyOf(options: Options, now: Date): UpdatePoolRequest {
  const { displayName, pause, resume, priority, fallback, strategy, lockTtl, overcommit } = options;
  const { instancesPerAgent, buildsPerAgent, minVersion, upgradeTo, notBefore } = options;
  const at = notBefore ? { notBefore: whenOf(notBefore, { option: '--not-before', now }) } : {};
  const body: UpdatePoolRequest = {
    ...given({ displayName, priority, lockTTLSeconds: lockTtl }),
    ...given({ paused: pause ? true : resume ? false : undefined }),
    ...given({ strategy: strategy && STRATEGIES[strategy] }),
    ...(fallback.length === 0 ? {} : { fallbackPools: fallbacksOf(fallback) }),
    ...given({ instancesPerAgent: orNull(instancesPerAgent), buildsPerAgent: orNull(buildsPerAgent) }),
    ...given({ minVersion: orNull(minVersion) }),
    ...given({ overcommit: overcommit === 'none' ? null : overcommit && overcommitOf(overcommit) }),
    ...given({ upgrade: upgradeTo === 'none' ? null : upgradeTo && { toVersion: upgradeTo, ...at } }),
  };
  if (Object.keys(body).length === 0)
    throw new Failure('Usage', 'it is not said what to change', {
      next: 'dcm pool set --help shows what can be.',
    });
  return body;
}

const STRATEGIES = { spread: 'Spread', pack: 'Pack' } as const;

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined | ''> };
/** Without what was not said. */
const given = <T extends object>(values: T): Given<T> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Given<T>; // just filtered

const orNull = <T>(value: T): Exclude<T, 'none'> | null =>
  value === 'none' ? null : (value as Exclude<T, 'none'>); // just looked

const overcommitOf = ({ cpu = 100, memory = 100, disk = 100 }: Readonly<Record<string, number>>) => ({
  ...{ cpuPercent: cpu, memoryPercent: memory, storagePercent: disk },
});

/** `--fallback hetzner=120 --fallback by-hand=3600`; the same pool once. */
function fallbacksOf(words: readonly string[]): UpdatePoolRequest['fallbackPools'] {
  if (words.length === 1 && words[0] === 'none') return null;
  return words.map((word) => {
    const [, name, seconds] = /^([a-z0-9-]+)=(\d{1,6})$/.exec(word) ?? [];
    if (name === undefined)
      throw new Failure('Usage', `--fallback "${word}" is no pool with seconds`, {
        next: 'Give it as in europe-hetzner=120, once for each pool; or none alone.',
      });
    return { name, afterSeconds: Number(seconds) };
  });
}

function integer(text: string): number {
  if (/^-?\d{1,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number, e.g. 10 or -5.');
}

const limitOf = (text: string): number | 'none' =>
  text === 'none' ? text : wholeNumber({ min: 1, max: 10_000 })(text);

/** `cpu=400,memory=100`: 100 for what is left out. */
function percents(text: string): Readonly<Record<string, number>> | 'none' {
  if (text === 'none') return 'none';
  const pairs = text.split(',').map((part) => /^(cpu|memory|disk)=(\d{2,5})$/.exec(part));
  if (pairs.some((pair) => pair === null))
    throw new InvalidArgumentError('It must be as in cpu=400,memory=100,disk=100, in percent.');
  return Object.fromEntries(pairs.map((pair) => [pair?.[1], Number(pair?.[2])]));
}
