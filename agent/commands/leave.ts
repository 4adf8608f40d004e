/**
 * `dc-agent leave`: says what has to happen before this host can go, and makes its key unusable here. Only the
 * provider can revoke an agent: a stolen host must not be able to make its machines look abandoned.
 */
import { renameSync } from 'node:fs';
import { delegationPath } from '../config/paths.ts';
import { EXIT, Failure } from '../failure.ts';
import { runningProcess } from '../state/run-lock.ts';
import { open } from './opened.ts';
import { listMachines, type StatusDeps } from './status.ts';

export async function leave(deps: StatusDeps, mode: 'Careful' | 'Force'): Promise<void> {
  const { output, configFile } = deps;
  const opened = open(configFile, deps.clock);
  const { config, key, delegation } = opened;
  const pid = runningProcess(config.agent.state_dir);
  if (pid !== undefined)
    throw new Failure(`dc-agent runs as process ${pid}`, { next: 'Stop it first: systemctl stop dc-agent.' });
  const machines = mode === 'Force' ? [] : await listMachines(deps, opened);
  if (machines.length > 0)
    throw new Failure(
      `${machines.length} instances are on this host: ${machines.map((it) => it.externalId).join(', ')}`,
      {
        next: 'Drain the agent and let them end (dc-agent status), or use --force: they stay here, and nobody manages them any more.',
        exitCode: EXIT.Failed,
      },
    );
  for (const path of [delegationPath(configFile), config.keys.private_key_path])
    renameSync(path, `${path}.left`);
  output.good(
    `${delegation?.agentName ?? key.publicKey} left pool ${config.agent.pool_id}; its key is kept as ${config.keys.private_key_path}.left`,
  );
  output.warn('the provider has to revoke it, so that nobody waits for it:');
  output.line(
    `    dcm call DELETE /api/v1/providers/${config.agent.provider_pubkey}/agents/${key.publicKey}`,
  );
}
