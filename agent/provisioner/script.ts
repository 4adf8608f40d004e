/**
 * Provisioner `script`: every action is one run of a program of the provider's. It believes an answer only when
 * it is exactly one JSON document of the expected shape. `destroy` lists before and after: a program that says
 * "terminated" is not enough to forget a machine.
 */
import { z } from 'zod';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type {
  Cancellable,
  CreatedInstance,
  CreateRequest,
  InstanceRef,
  ListedInstance,
  Provisioner,
} from './provisioner.ts';
import { ProvisionerError, refuseForeign } from './provisioner-error.ts';
import { redactor } from './redact.ts';
import { runProgram } from './run-program.ts';
import { readAnswer } from './script-answer.ts';
import {
  type Action,
  type AnswerOf,
  provisionFields,
  tagFields,
  toCreated,
  toHealth,
  toListed,
} from './script-protocol.ts';

const program = z.string().min(1).max(4096).regex(/^\//, 'an absolute path');

/** The table `[provisioner.script]`. */
export const ScriptConfig = z.strictObject({
  provision: program.describe(
    'Program that makes an instance, and answers every action without a program of its own.',
  ),
  get_instance: program.optional().describe('Program that looks an instance up.'),
  terminate: program.optional().describe('Program that removes an instance.'),
  health_check: program.optional().describe('Program that says how an instance is.'),
  start: program.optional().describe('Program that starts a stopped instance.'),
  stop: program.optional().describe('Program that stops an instance and keeps it.'),
  list: program.optional().describe('Program that lists the instances on this host.'),
  retag: program.optional().describe('Program that gives an instance a newer epoch.'),
  reinstall: program.optional().describe('Program that gives an instance a fresh system; its data goes.'),
  set_ssh_keys: program.optional().describe('Program that changes who can log in to an instance.'),
  set_password: program.optional().describe('Program that gives an instance another password.'),
  timeout_seconds: z
    .int()
    .min(1)
    .max(86_400)
    .default(300)
    .describe('After this a run is killed, with all that it started.'),
});
export type ScriptConfig = z.infer<typeof ScriptConfig>;

export type ScriptDeps = Readonly<{
  config: ScriptConfig;
  /** Only machines with this tag exist for this agent. */
  installation: string;
  /** What the programs inherit: the agent's environment without its own secrets. */
  environment: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Logger;
}>;

type Call = Readonly<{
  fields: Readonly<Record<string, unknown>>;
  secrets?: Readonly<Record<string, unknown>>;
}>;

export function scriptProvisioner(deps: ScriptDeps): Provisioner {
  const list = async ({ signal }: Cancellable): Promise<readonly ListedInstance[]> => {
    const fields = { installation: deps.installation, external_id: null };
    const { instances } = await call(deps, 'list', { fields, signal });
    return instances.map(toListed).filter(({ installation }) => installation === deps.installation);
  };
  const find = async (
    { externalId }: InstanceRef,
    options: Cancellable,
  ): Promise<ListedInstance | undefined> =>
    (await list(options)).find((listed) => listed.externalId === externalId);

  return {
    type: 'script',
    list,
    create: async (request, { signal }) => create(deps, request, signal),
    adopt: async (ref, tags, { signal }) => {
      const found = await find(ref, { signal });
      // At the new epoch already: this call was interrupted before it could say so. Asking again does no harm.
      if (found) refuseForeign(found.epoch === tags.epoch ? { ...ref, ...tags } : ref, found);
      const fields = { ...tagFields(ref), new_epoch: tags.epoch, new_agent_uid: tags.agentUid };
      return toCreated((await call(deps, 'retag', { fields, signal })).instance);
    },
    destroy: async (ref, { signal }) => {
      const found = await find(ref, { signal });
      if (found) refuseForeign(ref, found);
      // Also when it is not listed: half an instance may be left that only its own program can see.
      await call(deps, 'terminate', { fields: tagFields(ref), signal });
      const left = await find(ref, { signal });
      if (left) throw stillExists(left);
      return 'Absent';
    },
    start: async (ref, { signal }) => void (await call(deps, 'start', { fields: tagFields(ref), signal })),
    stop: async (ref, { signal }) => void (await call(deps, 'stop', { fields: tagFields(ref), signal })),
    reinstall: async (ref, request, { signal }) => {
      const fields = { ...provisionFields(request), ...tagFields(ref) };
      const secrets = { ...request.instanceConfig, secret: request.postProvisionScript };
      return toCreated((await call(deps, 'reinstall', { fields, secrets, signal })).instance);
    },
    setSshKeys: async (ref, sshPublicKeys, { signal }) => {
      const fields = { ...tagFields(ref), ssh_public_keys: sshPublicKeys };
      await call(deps, 'set_ssh_keys', { fields, signal });
    },
    setPassword: async (ref, password, { signal }) => {
      const fields = { ...tagFields(ref), password };
      const answer = await call(deps, 'set_password', { fields, secrets: { password }, signal });
      return { user: answer.user ?? undefined };
    },
    observe: async (ref, { signal }) =>
      toHealth((await call(deps, 'health_check', { fields: tagFields(ref), signal })).health),
  };
}

async function create(
  deps: ScriptDeps,
  request: CreateRequest,
  signal: AbortSignal,
): Promise<CreatedInstance> {
  const secrets = { ...request.instanceConfig, secret: request.postProvisionScript };
  const answer = await call(deps, 'provision', { fields: provisionFields(request), secrets, signal });
  return toCreated(answer.instance);
}

/** One run. Throws `ProvisionerError` for everything but a valid answer that says `success`. */
async function call<A extends Action>(
  deps: ScriptDeps,
  action: A,
  { fields, secrets = {}, signal }: Call & Cancellable,
): Promise<AnswerOf<A>> {
  const path = deps.config[action] ?? deps.config.provision;
  const timeoutMs = deps.config.timeout_seconds * 1000;
  const redact = redactor(secrets);
  const startedMs = deps.clock.monotonicMs();
  const about = { action, program: path, contract: fields['contract_id'], epoch: fields['epoch'] };
  try {
    const finished = await runProgram(deps, {
      program: path,
      stdin: JSON.stringify({ action, ...fields }),
      timeoutMs,
      signal,
    });
    const ms = Math.round(deps.clock.monotonicMs() - startedMs);
    deps.log.debug(
      { ...about, ms, exitCode: finished.exitCode, stderr: redact(finished.stderr) },
      'script ran',
    );
    return readAnswer(action, { ...finished, program: path, redact });
  } catch (error) {
    if (!(error instanceof ProvisionerError)) throw error;
    throw new ProvisionerError(error.code, redact(`${action}: ${error.message}`), {
      remedy: error.remedy,
      class: error.class,
      cause: error.cause,
    });
  }
}

function stillExists(left: ListedInstance): ProvisionerError {
  return new ProvisionerError(
    'StillExists',
    `${left.externalId} is still listed (${left.state}) after terminate succeeded`,
    {
      remedy: 'Destroy it again; if it stays, look at the terminate program and remove the machine by hand.',
    },
  );
}
