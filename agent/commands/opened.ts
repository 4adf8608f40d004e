/** What every command but setup begins with: configuration, key and a client that signs with it. */
import type { Clock } from '../../lib/clock.ts';
import type { KeyPair } from '../../lib/signature/keys.ts';
import { type ApiClient, createApiClient } from '../api-client.ts';
import { type Config, loadConfig } from '../config/load.ts';
import { delegationPath } from '../config/paths.ts';
import { type Delegation, readDelegation } from '../setup/delegation.ts';
import { requireKey } from '../setup/key-file.ts';

export type Opened = Readonly<{
  config: Config;
  key: KeyPair;
  client: ApiClient;
  delegation: Delegation | undefined;
  warnings: readonly string[];
}>;

/** Throws Failure with file and line of whatever is wrong. */
export function open(configFile: string, clock: Clock): Opened {
  const { config, warnings } = loadConfig(configFile);
  const key = requireKey(config.keys.private_key_path);
  const client = createApiClient({ apiUrl: config.agent.api_url, seed: key.seed, clock });
  return { config, key, client, delegation: readDelegation(delegationPath(configFile)), warnings };
}
