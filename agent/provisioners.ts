/** From the configuration to the provisioner that it names. */
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Config } from './config/load.ts';
import { EXIT, Failure } from './failure.ts';
import { manualProvisioner } from './provisioner/manual.ts';
import type { Provisioner } from './provisioner/provisioner.ts';
import { scriptProvisioner } from './provisioner/script.ts';

export type ProvisionerDeps = Readonly<{
  config: Config;
  installation: string;
  environment: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Logger;
}>;

/** Throws Failure for a type that this version cannot build with. */
export function provisionerOf({ config, ...deps }: ProvisionerDeps): Provisioner {
  const { type, script } = config.provisioner;
  if (type === 'script' && script) return scriptProvisioner({ ...deps, config: script });
  if (type === 'manual') return manualProvisioner({ ...deps, stateDir: config.agent.state_dir });
  throw new Failure(`${config.file}: this version of dc-agent cannot build with "${type}"`, {
    next: 'Use a pool of type "script" or "manual", or a newer dc-agent.',
    exitCode: EXIT.Misused,
  });
}
