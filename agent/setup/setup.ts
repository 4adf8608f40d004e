/**
 * Joins a pool. The key is on disk before the call, so a lost answer heals: run again, the same key and token
 * get the same answer. The delegation is written last: only with it the agent counts as joined.
 */
import { existsSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { ApiProblem, ApiUnreachable, createApiClient, retrying } from '../api-client.ts';
import { defaultKeyPath, defaultStateDir, delegationPath } from '../config/paths.ts';
import { setUpAgent } from '../facade.ts';
import { EXIT, Failure, messageOf } from '../failure.ts';
import { makePrivateFolder, writeDurably } from '../files.ts';
import type { Output } from '../output.ts';
import { runningProcess } from '../state/run-lock.ts';
import { configText, type ScriptPrograms } from './config-text.ts';
import { readDelegation, saveDelegation } from './delegation.ts';
import { ensureKey } from './key-file.ts';

export type SetupOptions = Readonly<{
  token: string;
  apiUrl: string;
  configFile: string;
  label: string | undefined;
  /** Leaves what was joined before, keeps its files aside, and joins anew. */
  mode: 'Join' | 'Force';
  script: Partial<ScriptPrograms>;
  /** The example that ships with the sources; undefined where it does not. */
  exampleProgram: string | undefined;
}>;

export type SetupDeps = Readonly<{ clock: Clock; output: Output; signal: AbortSignal }>;

const BACKOFF = { firstMs: 500, maxMs: 4000, factor: 2, jitter: 0.3 };
/** A facade that restarts is back within this; a wrong address is not worth waiting longer for. */
const PATIENCE_MS = 15_000;

export async function setUp(deps: SetupDeps, options: SetupOptions): Promise<void> {
  const { output } = deps;
  const { configFile } = options;
  const apiUrl = originOf(options.apiUrl);
  const joined = readDelegation(delegationPath(configFile));
  if (joined && existsSync(configFile) && options.mode === 'Join') {
    output.good(`already joined as ${joined.agentName ?? joined.agentUid}; nothing to do`);
    return;
  }
  if (options.mode === 'Force') putAside(configFile, output);
  const keyPath = defaultKeyPath(configFile);
  const key = ensureKey(keyPath);
  output.good(
    key.isNew ? `key made, kept in ${keyPath} (0600)` : `key of an earlier try used again: ${keyPath}`,
  );
  const answer = await join(deps, { apiUrl, token: options.token, key });
  const program = options.script.provision ?? options.exampleProgram;
  if (existsSync(configFile))
    output.warn(
      `${configFile} was there and was kept; it must say api_url = "${apiUrl}", provider_pubkey = "${answer.providerPubkey}", pool_id = "${answer.poolId}"`,
    );
  else
    writeConfig(configFile, {
      apiUrl,
      providerPubkey: answer.providerPubkey,
      poolId: answer.poolId,
      label: options.label,
      stateDir: defaultStateDir(configFile),
      keyPath,
      provisionerType: answer.provisionerType,
      script: { ...options.script, provision: program ?? `${dirname(configFile)}/provision` },
      // Machines of the example are processes that share what there is; a person's and a cluster's are elsewhere.
      detectsResources: answer.provisionerType === 'script' && program !== options.exampleProgram,
    });
  saveDelegation(delegationPath(configFile), answer);
  output.good(`joined pool ${answer.poolId} (${answer.poolLocation}) as ${answer.agentName}`);
  sayNext(output, { configFile, type: answer.provisionerType, hasProgram: program !== undefined });
}

type Joining = Readonly<{
  apiUrl: string;
  token: string;
  key: Readonly<{ seed: string; publicKey: string }>;
}>;

async function join({ clock, signal, output }: SetupDeps, { apiUrl, token, key }: Joining) {
  const client = createApiClient({ apiUrl, seed: key.seed, clock });
  const startedMs = clock.monotonicMs();
  try {
    return await retrying(() => setUpAgent(client, { token, agentPubkey: key.publicKey }), {
      clock,
      signal,
      backoff: BACKOFF,
      isPassing: (error) => {
        const isPassing =
          error instanceof ApiUnreachable || (error instanceof ApiProblem && error.isRetryable);
        return isPassing && clock.monotonicMs() - startedMs < PATIENCE_MS;
      },
      onWait: (error) => output.warn(`${messageOf(error)}; trying again`),
    });
  } catch (error) {
    if (error instanceof ApiProblem) throw new Failure(error.message, { next: error.next, cause: error });
    if (error instanceof ApiUnreachable)
      throw new Failure(error.message, {
        next: `Check that ${apiUrl} is the address of the API and can be reached from here, then run the same command again: the key is kept.`,
        cause: error,
      });
    throw error;
  }
}

function originOf(apiUrl: string): string {
  let url: URL;
  try {
    url = new URL(apiUrl);
  } catch {
    throw new Failure(`--api-url ${apiUrl} is no address`, {
      next: 'Give it like https://api.example.com, as your provider shows it.',
      exitCode: EXIT.Misused,
    });
  }
  if (url.protocol === 'https:' || url.protocol === 'http:') return url.origin;
  throw new Failure(`--api-url ${apiUrl} is neither http nor https`, {
    next: 'Give it like https://api.example.com, as your provider shows it.',
    exitCode: EXIT.Misused,
  });
}

/** Nothing is deleted: a key or a state that was thrown away by mistake cannot be made again. */
function putAside(configFile: string, output: Output): void {
  const stateDir = defaultStateDir(configFile);
  const pid = runningProcess(stateDir);
  if (pid !== undefined)
    throw new Failure(`dc-agent runs with this configuration, as process ${pid}`, { next: 'Stop it first.' });
  const files = [delegationPath(configFile), configFile, defaultKeyPath(configFile), stateDir];
  // A key without a delegation belongs to a set-up that was not finished: it is used again.
  const isJoined = existsSync(delegationPath(configFile));
  for (const path of isJoined ? files : files.slice(1, 2)) {
    if (!existsSync(path)) continue;
    let aside = `${path}.old`;
    for (let n = 2; existsSync(aside); n++) aside = `${path}.old${n}`;
    renameSync(path, aside);
    output.warn(`${path} was kept as ${aside}`);
  }
}

function writeConfig(file: string, config: Parameters<typeof configText>[0]): void {
  try {
    makePrivateFolder(dirname(file));
    writeDurably(file, configText(config));
  } catch (error) {
    throw new Failure(`${file} cannot be written: ${messageOf(error)}`, {
      next: 'Make the folder writable, then run the same command again: the key is kept, the token is still good for it.',
      exitCode: EXIT.Misused,
    });
  }
}

function sayNext(
  output: Output,
  { configFile, type, hasProgram }: Readonly<{ configFile: string; type: string; hasProgram: boolean }>,
): void {
  const commands = `dc-agent doctor --config ${configFile} && dc-agent run --config ${configFile}`;
  if (type === 'proxmox') output.warn(`the Proxmox API needs credentials: edit ${configFile}, then`);
  else if (type === 'script' && !hasProgram)
    output.warn(`the program that makes instances is still to be named: edit ${configFile}, then`);
  else output.good('ready; next:');
  output.line(`    ${commands}`);
}
