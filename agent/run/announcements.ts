/** What the provider plans for this agent, as the heartbeat tells it: said in the log once, and again when it changes. */

import { compareVersions } from '../../crds/placement/version.ts';
import type { HeartbeatResponse } from '../../crds/wire/heartbeat.ts';
import type { Logger } from '../../lib/log.ts';

type Plans = Pick<HeartbeatResponse, 'drain' | 'upgradeToVersion'>;

export type Announcer = (plans: Plans) => void;

export function createAnnouncer(
  log: Pick<Logger, 'info' | 'warn'>,
  { version }: Readonly<{ version: string }>,
): Announcer {
  let drains = false;
  let planned: string | undefined;
  return ({ drain = false, upgradeToVersion }) => {
    if (drain !== drains) {
      drains = drain;
      if (drain)
        log.warn(
          {},
          'the provider empties this agent: no new work; what runs stays until it ends or is moved',
        );
      else log.info({}, 'the provider gives this agent work again');
    }
    const wanted =
      upgradeToVersion && compareVersions(version, upgradeToVersion) < 0 ? upgradeToVersion : undefined;
    if (wanted === planned) return;
    planned = wanted;
    if (wanted === undefined) log.info({ version }, 'no upgrade of dc-agent is planned any more');
    else
      log.warn(
        { version, upgradeToVersion: wanted },
        `the provider plans dc-agent ${wanted}: install it and restart; instances keep running meanwhile`,
      );
  };
}
