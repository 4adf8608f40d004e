/** Pools as a provider reads them at a terminal: the table that `kubectl get pools` shows, and one of them in full. */
import type { Condition } from '../../crds/condition.ts';
import { capacityText, rateText } from '../../crds/placement/figures.ts';
import type { PoolView } from '../../crds/wire/pools.ts';
import { formatTable } from '../output/table.ts';
import { ageWords, capacityWords } from '../output/words.ts';
import type { Session } from '../session.ts';
import { everyWords } from './windows.ts';

export function printPools({ print, context }: Session, pools: readonly PoolView[]): void {
  if (pools.length === 0) {
    print.line('No pool yet: dcm pool create NAME --location REGION --type TYPE');
    return;
  }
  const columns = [
    { title: 'POOL', cell: (row: PoolView) => row.poolId },
    { title: 'REGION', cell: (row: PoolView) => row.location },
    { title: 'TYPE', cell: (row: PoolView) => row.provisionerType },
    { title: 'ONLINE', cell: (row: PoolView) => `${row.online}/${row.agents}` },
    { title: 'ACTIVE', cell: (row: PoolView) => row.activeContracts },
    { title: 'WAITING', cell: (row: PoolView) => row.waitingContracts },
    { title: 'FREE CPU', cell: (row: PoolView) => capacityText(row.free).cpu },
    { title: 'FREE MEM', cell: (row: PoolView) => capacityText(row.free).memory },
    { title: 'SUCCESS 24H', cell: (row: PoolView) => rateText(row.attempts24h) },
    { title: 'READY', cell: (row: PoolView) => (row.settings.paused ? 'paused' : row.ready ? 'yes' : 'no') },
    { title: 'AGE', cell: (row: PoolView) => ageWords(row.createdAt, context.clock.now()) },
  ];
  print.line(formatTable(pools, columns, print.paint));
  for (const { poolId, conditions } of pools)
    for (const { message } of conditions.filter(isBad)) print.note(`${poolId}: ${message}`);
}

export function printPool({ print }: Session, pool: PoolView): void {
  const { settings, attempts24h } = pool;
  const { succeeded, failed } = attempts24h;
  const { overcommit, upgrade, fallbackPools, instancesPerAgent, buildsPerAgent, minVersion } = settings;
  const line = (title: string, text: string | undefined): void => {
    if (text) print.line(`${(title && `${title}:`).padEnd(13)}${text}`);
  };
  line('Pool', `${pool.displayName} (${pool.poolId}): ${pool.provisionerType} in ${pool.location}`);
  line('State', `${settings.paused ? 'paused, ' : ''}${pool.ready ? 'ready' : 'not ready'}`);
  for (const [index, { message }] of pool.conditions.entries()) line(index === 0 ? 'Says' : '', message);
  line('Agents', `${pool.online} of ${pool.agents} online`);
  line('Contracts', `${pool.activeContracts} held, ${pool.waitingContracts} waiting`);
  line('Free', capacityWords(pool.free) || 'not limited');
  line('Success 24h', `${rateText(attempts24h)} (${succeeded} built, ${failed} failed)`);
  line('Priority', String(settings.priority));
  line('Fallback', fallbackPools.map((it) => `${it.name} after ${it.afterSeconds} s`).join(', ') || 'none');
  line('Strategy', settings.strategy === 'Spread' ? 'spread over agents' : 'pack: fill one agent first');
  line('Per agent', perAgentWords({ instancesPerAgent, buildsPerAgent }));
  line('Lock', `${settings.lockTTLSeconds} s without renewal`);
  if (overcommit)
    line(
      'Overcommit',
      `cpu=${overcommit.cpuPercent},memory=${overcommit.memoryPercent},disk=${overcommit.storagePercent}`,
    );
  line('Version', minVersion ? `${minVersion} or newer` : 'any');
  if (upgrade)
    line('Upgrade', `to ${upgrade.toVersion}${upgrade.notBefore ? ` from ${upgrade.notBefore} on` : ''}`);
  for (const { startsAt, endsAt, every, reason } of settings.maintenance)
    line('Maintenance', `${startsAt} to ${endsAt}${everyWords({ every })}${reason ? `: ${reason}` : ''}`);
}

const isBad = ({ status }: Condition): boolean => status === 'False';

const perAgentWords = ({
  instancesPerAgent: most,
  buildsPerAgent: builds,
}: Pick<PoolView['settings'], 'instancesPerAgent' | 'buildsPerAgent'>): string =>
  `${most === null ? 'as many contracts as it says' : `${most} contracts at most`}, ${builds === null ? 'the usual number' : `${builds} at most`} being built`;
