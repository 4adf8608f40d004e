/**
 * The instances of the demonstration outlive their agents, so `npm start` stops them at its end and starts them
 * again at its beginning, through the same example script that the agents use.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import type { Dev } from '../commands/dev.ts';
import { Failure } from '../failure.ts';
import { canReach, unprivilegedAccount } from '../postgres/account.ts';
import { systemFolderFor } from '../postgres/home.ts';

const SCRIPT = 'agent/examples/local-ssh/local-ssh.mjs';
const Listed = z.object({
  success: z.boolean(),
  error: z.string().optional(),
  instances: z
    .array(
      z.looseObject({
        external_id: z.string(),
        contract_id: z.string(),
        epoch: z.int(),
        installation: z.string(),
        agent_uid: z.string().optional(),
        state: z.string(),
      }),
    )
    .default([]),
});
type Instance = z.infer<typeof Listed>['instances'][number];

/**
 * Where instances live: under `.dcmarket/`, or, when root runs a checkout that nobody else may enter, in a
 * folder of the system's: a tenant's shell runs under an unprivileged user and must reach its home.
 */
export function instancesFolder({ paths }: Pick<Dev, 'paths'>): string {
  const own = join(paths.state, 'instances');
  mkdirSync(own, { recursive: true, mode: 0o711 });
  if (canReach(unprivilegedAccount(), own)) return own;
  const folder = join(systemFolderFor(paths.state), 'instances');
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  return folder;
}

export async function listInstances(dev: Dev): Promise<readonly Instance[]> {
  if (!existsSync(instancesFolder(dev))) return [];
  const answer = Listed.parse(await callScript(dev, { action: 'list' }));
  if (!answer.success)
    throw new Failure('StepFailed', `the instances cannot be listed: ${answer.error ?? ''}`);
  return answer.instances;
}

/** Starts (or stops) all that are not; answers how many that were. */
export async function setInstances(dev: Dev, action: 'start' | 'stop'): Promise<number> {
  const from = action === 'start' ? 'stopped' : 'running';
  const concerned = (await listInstances(dev)).filter(({ state }) => state.toLowerCase() === from);
  await Promise.all(
    concerned.map(async ({ state: _state, ...tags }) => {
      const answer = z
        .object({ success: z.boolean(), error: z.string().optional() })
        .parse(await callScript(dev, { action, ...tags }));
      if (!answer.success)
        throw new Failure(
          'StepFailed',
          `instance ${tags.external_id} cannot be ${action === 'start' ? 'started' : 'stopped'}: ${answer.error ?? ''}`,
        );
    }),
  );
  return concerned.length;
}

async function callScript(dev: Dev, request: Readonly<Record<string, unknown>>): Promise<unknown> {
  const child = spawn(process.execPath, [join(dev.paths.root, SCRIPT)], {
    env: { ...dev.env, DC_INSTANCES_DIR: instancesFolder(dev) },
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true, // Ctrl-C must not cut a change short
  });
  child.stdin.end(JSON.stringify(request));
  return json(child.stdout);
}
