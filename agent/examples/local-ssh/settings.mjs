/** Where the instances live: DC_INSTANCES_DIR, or `instancesDir` in a file config.json beside these scripts. */
import { mkdirSync, realpathSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readJson } from './instance.mjs';
import { Refusal } from './refusal.mjs';

/** Instances listen on this host only. */
export const HOST = '127.0.0.1';

/**
 * The root folder, made when it is not there, without symbolic links in it.
 * @param {NodeJS.ProcessEnv} environment
 */
export function rootFolder(environment) {
  const file = fileURLToPath(new URL('./config.json', import.meta.url));
  const dir = environment['DC_INSTANCES_DIR'] || readJson(file)?.instancesDir;
  if (typeof dir !== 'string' || !isAbsolute(dir))
    throw new Refusal(
      'configuration',
      'where are the instances? Set DC_INSTANCES_DIR to an absolute path, or write {"instancesDir":"/…"} to ' +
        file,
    );
  mkdirSync(dir, { recursive: true, mode: 0o711 });
  return realpathSync(dir);
}
