/** Where the agent keeps what: the system's folders as root, the user's otherwise, or beside a `--config` file. */
import { dirname, isAbsolute, join, resolve } from 'node:path';

const SYSTEM_CONFIG = '/etc/dc-agent/config.toml';
const SYSTEM_STATE = '/var/lib/dc-agent';

export type Places = Readonly<{ isRoot: boolean; home: string; cwd: string }>;

/** The file that `--config` names, or the default. Absolute. */
export function configPath(given: string | undefined, { isRoot, home, cwd }: Places): string {
  if (given !== undefined) return resolve(cwd, given);
  return isRoot ? SYSTEM_CONFIG : join(home, '.config', 'dc-agent', 'config.toml');
}

export const defaultStateDir = (configFile: string): string =>
  configFile === SYSTEM_CONFIG ? SYSTEM_STATE : join(dirname(configFile), 'state');

export const defaultKeyPath = (configFile: string): string => join(dirname(configFile), 'agent.key');

/** What the API answered when the agent joined. */
export const delegationPath = (configFile: string): string => join(dirname(configFile), 'delegation.json');

/** A path in the file is relative to the file, not to wherever somebody stood. */
export const besideConfig = (configFile: string, path: string): string =>
  isAbsolute(path) ? path : join(dirname(configFile), path);
