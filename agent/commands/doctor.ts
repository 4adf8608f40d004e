/** `dc-agent doctor`: one line for each thing that must be right, with what to do where it is not. */
import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { createLogger } from '../../lib/log.ts';
import { ApiProblem, describeSkew } from '../api-client.ts';
import type { Config } from '../config/load.ts';
import { facadeOf } from '../facade.ts';
import { Failure, messageOf } from '../failure.ts';
import { makePrivateFolder, openBits } from '../files.ts';
import type { Output } from '../output.ts';
import { ProvisionerError } from '../provisioner/provisioner-error.ts';
import { provisionerOf } from '../provisioners.ts';
import { measureHost } from '../run/host.ts';
import { describeResources, isMeasured, resourcesOf } from '../run/resources.ts';
import { runningProcess } from '../state/run-lock.ts';
import { openStore } from '../state/store.ts';
import { type Opened, open } from './opened.ts';

/** The server refuses a clock that is further off than a minute; this is where people should know. */
const SKEW_WARNED_SECONDS = 10;
const CALL_MS = 10_000;

export type DoctorDeps = Readonly<{
  configFile: string;
  clock: Clock;
  output: Output;
  signal: AbortSignal;
  environment: Readonly<Record<string, string | undefined>>;
}>;

/** Whether everything that must be right is right. */
export async function doctor(deps: DoctorDeps): Promise<boolean> {
  const { output, configFile, clock } = deps;
  let opened: Opened;
  try {
    opened = open(configFile, clock);
  } catch (error) {
    explain(output, error);
    return false;
  }
  output.good(`configuration ${configFile}`);
  for (const warning of opened.warnings) output.warn(warning);
  output.good(`key ${opened.config.keys.private_key_path} (0600): ${opened.key.publicKey}`);
  sayResources(output, opened.config);
  const checks = [
    checkState(deps, opened.config),
    await checkApi(deps, opened),
    await checkProvisioner(deps, opened),
  ];
  return checks.every((isRight) => isRight);
}

/** What the market is told of this host: contracts that need more are not offered to it. */
function sayResources(output: Output, config: Config): void {
  const said = resourcesOf(config, () => measureHost(dirname(config.file)));
  const how = isMeasured(config) ? 'measured where not configured' : 'as configured';
  const { storageClasses = [] } = said;
  const names = [...config.resources.capabilities, ...storageClasses];
  output.good(
    `resources: ${describeResources(said)} (${how})${names.length > 0 ? `; offers ${names.join(', ')}` : ''}`,
  );
}

function checkState({ output, clock }: DoctorDeps, { agent }: Config): boolean {
  const folder = agent.state_dir;
  try {
    makePrivateFolder(folder);
    accessSync(folder, constants.W_OK | constants.X_OK);
    const unfinished = openStore(folder, clock.now())
      .all()
      .filter(({ grant, doomed }) => grant || doomed.length > 0);
    const pid = runningProcess(folder);
    const isOpen = openBits(folder) !== 0;
    const running = pid === undefined ? 'dc-agent is not running' : `dc-agent runs as process ${pid}`;
    output.good(`state ${folder}: ${unfinished.length} contracts unfinished; ${running}`);
    if (isOpen) output.warn(`others can enter ${folder}: chmod 700 ${folder}`);
    return true;
  } catch (error) {
    if (error instanceof Failure) explain(output, error);
    else output.bad(`state ${folder}: ${messageOf(error)}; make it a folder that this user can write to`);
    return false;
  }
}

/** Reads the list of waiting contracts: it needs no session, so it disturbs no running agent. */
async function checkApi({ output, signal }: DoctorDeps, { config, client }: Opened): Promise<boolean> {
  const { api_url, provider_pubkey, pool_id } = config.agent;
  const facade = facadeOf(client, provider_pubkey, { session: 'doctor-only', incarnation: 0 });
  try {
    const waiting = await facade.pending({ signal, deadlineMs: CALL_MS });
    output.good(
      `${api_url} answers and accepts this agent for pool ${pool_id}; ${waiting.length} contracts wait`,
    );
    sayClock(output, client.skewSeconds());
    return true;
  } catch (error) {
    if (error instanceof ApiProblem)
      output.bad(`${api_url} refuses this agent: ${error.message} ${error.next}`);
    else output.bad(`${messageOf(error)}; check [agent] api_url, the network and the firewall`);
    sayClock(output, client.skewSeconds());
    return false;
  }
}

function sayClock(output: Output, skew: number | undefined): void {
  if (skew === undefined) return;
  const text = `clock: ${describeSkew(skew)}`;
  if (Math.abs(skew) < SKEW_WARNED_SECONDS) output.good(text);
  else output.warn(`${text}; set it by NTP (timedatectl set-ntp true), beyond 60 s the server refuses it`);
}

async function checkProvisioner(deps: DoctorDeps, { config, delegation }: Opened): Promise<boolean> {
  const { output, clock, environment, signal } = deps;
  const { type, script } = config.provisioner;
  const programs = Object.values(script ?? {}).filter((value) => typeof value === 'string');
  const blocked = type === 'script' ? programs.filter((path) => !isExecutable(path)) : [];
  for (const path of blocked) output.bad(`${path} is not executable: chmod 755 ${path}`);
  if (blocked.length > 0) return false;
  try {
    const installation = delegation?.installation ?? 'unknown';
    const log = createLogger({ name: 'doctor', level: 'silent' });
    const provisioner = provisionerOf({ config, installation, environment, clock, log });
    const startedMs = clock.monotonicMs();
    const machines = await provisioner.list({ signal });
    const ms = Math.round(clock.monotonicMs() - startedMs);
    output.good(`provisioner ${type}: lists ${machines.length} instances in ${ms} ms`);
    return true;
  } catch (error) {
    explain(output, error);
    return false;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function explain(output: Output, error: unknown): void {
  if (error instanceof Failure) output.bad(`${error.message}\n    ${error.next}`);
  else if (error instanceof ProvisionerError) output.bad(`${error.message}\n    ${error.remedy}`);
  else throw error;
}
