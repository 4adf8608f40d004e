/** One agent as a provider reads it at a terminal. */
import type { AgentDetail, RemainingView } from '../../crds/wire/agents.ts';
import { formatTable } from '../output/table.ts';
import { capacityWords, shortId, whenWords } from '../output/words.ts';
import type { Session } from '../session.ts';
import { everyWords } from './windows.ts';

export function printAgent(session: Session, detail: AgentDetail): void {
  const { print, context } = session;
  const { label, agentName, agentPubkey, poolId, online, lastSeenAt, version, problem } = detail;
  const { activeContracts, capabilities, storageClasses, remaining } = detail;
  const now = context.clock.now();
  const line = (title: string, text: string | undefined): void => {
    if (text) print.line(`${`${title}:`.padEnd(13)}${text}`);
  };
  line('Agent', `${label ?? agentName} in ${poolId}`);
  line('Key', agentPubkey);
  line('State', `${online ? 'online' : 'offline'}, seen ${whenWords(lastSeenAt, now) ?? 'never'}`);
  line('Work', workWords(detail));
  line('Health', healthWords(detail, now));
  line('Problem', problem?.message);
  line('Version', `${version ?? 'unknown'}${upgradeWords(detail)}`);
  line('Contracts', String(activeContracts));
  line('Has', sizeWords(detail.resources));
  line('Free', capacityWords(detail.free) || 'not limited');
  line('Labels', labelWords(detail.labels));
  line('Offers', [...capabilities, ...storageClasses].join(', '));
  for (const { startsAt, endsAt, reason, every } of detail.maintenance)
    line('Maintenance', `${startsAt} to ${endsAt}${everyWords({ every })}${reason ? `: ${reason}` : ''}`);
  if (remaining) printRemaining(session, remaining);
}

/** What is left on an agent that is to be empty, and what ends each. */
export function printRemaining({ print }: Session, remaining: readonly RemainingView[]): void {
  if (remaining.length === 0) {
    print.line('Nothing remains on it.');
    return;
  }
  const columns = [
    { title: 'REMAINS', cell: (row: RemainingView) => row.name },
    { title: 'ID', cell: (row: RemainingView) => shortId(row.contractId) },
    { title: 'PHASE', cell: (row: RemainingView) => row.phase },
    { title: 'WHY', cell: (row: RemainingView) => row.message },
  ];
  print.line(formatTable(remaining, columns, print.paint));
}

function workWords(detail: AgentDetail): string {
  const { revoked, draining, drainBy, cordoned } = detail;
  if (revoked) return 'revoked';
  const why = cordonWords(detail);
  if (draining)
    return `is being drained${why}; ${drainBy ? `what can be is moved from ${drainBy} on` : 'nothing is moved'}`;
  return cordoned ? `cordoned: gets no new work${why}` : 'gets work';
}

/** ` (by acme since 2026-01-01T12:00:00.000Z: disk swap)`, of which each may be missing. */
function cordonWords({ cordonedBy, cordonedSince, cordonReason }: AgentDetail): string {
  const who = [cordonedBy && `by ${cordonedBy}`, cordonedSince && `since ${cordonedSince}`];
  const said = [who.filter(Boolean).join(' '), cordonReason].filter(Boolean).join(': ');
  return said ? ` (${said})` : '';
}

/** Only what is wrong. */
function healthWords({ health }: AgentDetail, now: Date): string | undefined {
  if (!health || health.healthy) return undefined;
  return `${health.reason} since ${health.since} (${whenWords(health.since, now)}): ${health.message}`;
}

function upgradeWords({ upgrade: { state, toVersion, notBefore } }: AgentDetail): string {
  switch (state) {
    case 'UpToDate':
      return '';
    case 'TooOld':
      return `, too old: its pool wants ${toVersion}, it gets no new work`;
    default:
      return `, to be upgraded to ${toVersion}${notBefore ? ` from ${notBefore} on` : ''}`;
  }
}

const sizeWords = ({ gpu, ...sizes }: AgentDetail['resources']): string => {
  const said = Object.entries({ ...sizes, gpu: gpu || null }).filter(([, size]) => size !== null);
  return capacityWords(Object.fromEntries(said)) || 'not limited';
};

const labelWords = (labels: AgentDetail['labels']): string =>
  Object.entries(labels)
    .map(([key, value]) => (value === '' ? key : `${key}=${value}`))
    .sort()
    .join(', ');
