/** The provider's side of the demonstration: samples applied with kubectl, two agents joined by setup tokens. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Dev } from '../commands/dev.ts';
import { runNode } from '../commands/tool.ts';
import { applyManifests } from '../control-plane/manifests.ts';
import { Failure } from '../failure.ts';
import { writeFileAtomically } from '../files.ts';
import type { ManagedProcess } from '../processes/managed-process.ts';
import { waitUntil } from '../processes/wait-until.ts';
import type { Api } from './api-client.ts';
import type { DemoKeys } from './keys.ts';
import { type Started, startProgram, waiting, whileRunning } from './programs.ts';
import type { Servers } from './servers.ts';

export const AGENT_NAMES = ['agent-1', 'agent-2'] as const;
const POOL = 'europe-script';
const AGENT_ENTRY = 'agent/bin/dc-agent.mjs';
const SAMPLES = ['provider.yaml', 'agentpool.yaml', 'offering.yaml'];

type Input = Readonly<{
  servers: Servers;
  keys: DemoKeys;
  api: Api;
  apiUrl: string;
  instances: string;
  reload: boolean;
  started: Started;
}>;

/** Applies `config/samples/` with the key of this checkout in place of the sample's. */
export async function applySamples(
  dev: Dev,
  { servers, keys }: Pick<Input, 'servers' | 'keys'>,
): Promise<void> {
  const folder = join(dev.paths.state, 'samples');
  mkdirSync(folder, { recursive: true });
  for (const name of SAMPLES) {
    const yaml = readFileSync(join(dev.paths.root, 'config', 'samples', name), 'utf8');
    const file = join(folder, name);
    writeFileAtomically(
      file,
      yaml.replace(/publicKey: "[0-9a-f]{64}"/, `publicKey: "${keys.provider.publicKey}"`),
    );
    await applyManifests(dev, servers.kubectl, file);
  }
}

/** Joins those that have not joined yet, starts both, and waits until they are online. */
export async function startAgents(dev: Dev, input: Input): Promise<void> {
  const agents: ManagedProcess[] = [];
  for (const name of AGENT_NAMES) {
    const config = join(dev.paths.state, 'agents', name, 'config.toml');
    if (!existsSync(config)) await joinPool(dev, { ...input, name, config });
    pointAt(config, input.apiUrl);
    const agent = await startProgram(dev, {
      name,
      entry: AGENT_ENTRY,
      args: ['run', '--config', config],
      reload: input.reload,
      started: input.started,
      env: { DC_INSTANCES_DIR: input.instances },
    });
    agents.push(agent);
  }
  await whileRunning(dev, agents, (own) =>
    waitUntil(() => expectOnline(input), {
      ...waiting(own, 'the pool'),
      next: `See ${dev.paths.folders.logs}/agent-1.log.`,
    }),
  );
}

/** Another `--port` than last time: the agent's config follows. */
function pointAt(config: string, apiUrl: string): void {
  const text = readFileSync(config, 'utf8');
  const moved = text.replace(/^api_url = ".*"$/m, `api_url = "${apiUrl}"`);
  if (moved !== text) writeFileAtomically(config, moved, 0o600);
}

async function joinPool(
  dev: Dev,
  { keys, api, apiUrl, instances, name, config }: Input & { name: string; config: string },
): Promise<void> {
  mkdirSync(join(config, '..'), { recursive: true, mode: 0o700 });
  const path = `/api/v1/providers/${keys.provider.publicKey}/pools/${POOL}/setup-tokens`;
  const token = await waitUntil(
    () =>
      api(z.object({ token: z.string() }), {
        method: 'POST',
        path,
        seed: keys.provider.seed,
        body: { label: name },
      }),
    { ...waiting(dev, 'the provider'), timeoutMs: 10_000 },
  );
  const { code, output } = await runNode(
    dev,
    AGENT_ENTRY,
    ['setup', '--token', token.token, '--api-url', apiUrl, '--config', config, '--label', name],
    { env: { DC_INSTANCES_DIR: instances } },
  );
  if (code !== 0)
    throw new Failure('StepFailed', `dc-agent setup of ${name} ended with code ${code}: ${output}`);
}

async function expectOnline({ api, keys }: Input): Promise<void> {
  const path = `/api/v1/providers/${keys.provider.publicKey}/agents`;
  const agents = await api(z.array(z.object({ label: z.string().nullable(), online: z.boolean() })), {
    method: 'GET',
    path,
    seed: keys.provider.seed,
  });
  const online = AGENT_NAMES.filter((name) => agents.some((agent) => agent.label === name && agent.online));
  if (online.length < AGENT_NAMES.length)
    throw new Error(`${online.length} of ${AGENT_NAMES.length} agents are online`);
}
