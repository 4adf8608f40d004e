/** Which version of dc-agent a pool wants, and what that means for one agent. Pure. */
import type { Agent } from './agent.ts';
import type { AgentPool } from './agent-pool.ts';
import { compareVersions } from './placement/version.ts';

export type Upgrade = Readonly<
  | { state: 'UpToDate' }
  /** It goes on working, and hears of it with its next heartbeat. */
  | { state: 'Announced' | 'Planned'; toVersion: string; notBefore: string | undefined }
  /** Below the floor of its pool: no new work until it is upgraded. */
  | { state: 'TooOld'; minVersion: string }
>;

type Facts = Readonly<{ agent: Agent; pool: Pick<AgentPool, 'spec'>; now: Date }>;

export function upgradeOf({ agent, pool: { spec }, now }: Facts): Upgrade {
  const { version } = agent.status ?? {};
  const { minVersion, upgrade } = spec;
  if (minVersion !== undefined && isOlder(version, minVersion)) return { state: 'TooOld', minVersion };
  if (!upgrade || !isOlder(version, upgrade.toVersion)) return { state: 'UpToDate' };
  const { toVersion, notBefore } = upgrade;
  const isDue = notBefore === undefined || Date.parse(notBefore) <= now.getTime();
  return { state: isDue ? 'Announced' : 'Planned', toVersion, notBefore };
}

/** What the heartbeat tells it; undefined: nothing. Below the floor it is told the version that is planned, if any. */
export function announcedVersion(facts: Facts): string | undefined {
  const { upgrade } = facts.pool.spec;
  if (!upgrade || !isOlder(facts.agent.status?.version, upgrade.toVersion)) return undefined;
  const isDue = upgrade.notBefore === undefined || Date.parse(upgrade.notBefore) <= facts.now.getTime();
  return isDue ? upgrade.toVersion : undefined;
}

/** An agent that says no version is older than any. */
const isOlder = (version: string | undefined, wanted: string): boolean =>
  version === undefined || compareVersions(version, wanted) < 0;
