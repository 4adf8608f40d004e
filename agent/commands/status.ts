/** `dc-agent status`: what runs on this host and what is unfinished, from the state folder and a listing. No API. */
import type { OrphanNote } from '../../crds/contract/orphans.ts';
import type { Clock } from '../../lib/clock.ts';
import { createLogger } from '../../lib/log.ts';
import { messageOf } from '../failure.ts';
import type { Output } from '../output.ts';
import type { ListedInstance } from '../provisioner/provisioner.ts';
import { provisionerOf } from '../provisioners.ts';
import { type ContractRecord, isSettled } from '../state/record.ts';
import { runningProcess } from '../state/run-lock.ts';
import { openStore, type Store } from '../state/store.ts';
import { type Opened, open } from './opened.ts';

export type StatusDeps = Readonly<{
  configFile: string;
  clock: Clock;
  output: Output;
  signal: AbortSignal;
  environment: Readonly<Record<string, string | undefined>>;
}>;

/** Whether the machines could be listed. */
export async function status(deps: StatusDeps): Promise<boolean> {
  const { output, clock } = deps;
  const opened = open(deps.configFile, clock);
  const { agent, provisioner } = opened.config;
  const store = openStore(agent.state_dir, clock.now());
  const pid = runningProcess(agent.state_dir);
  const name = opened.delegation?.agentName ?? agent.label ?? opened.key.publicKey.slice(0, 8);
  if (pid === undefined) output.warn(`${name} is not running; start it with dc-agent run`);
  else output.good(`${name} runs as process ${pid}, pool ${agent.pool_id}, ${provisioner.type}`);
  for (const record of store.all().filter((it) => !isSettled(it))) output.line(describeRecord(record));
  try {
    const machines = await listMachines(deps, opened);
    output.line(machines.length === 0 ? 'no instances on this host' : `${machines.length} instances:`);
    for (const machine of machines) output.line(describeMachine(machine, store));
    return true;
  } catch (error) {
    output.bad(`the instances cannot be listed: ${messageOf(error)}`);
    return false;
  }
}

/** Every machine of this agent. Throws when it cannot look. */
export async function listMachines(
  { clock, signal, environment }: Omit<StatusDeps, 'output'>,
  { config, delegation }: Opened,
): Promise<readonly ListedInstance[]> {
  const installation = delegation?.installation ?? 'unknown';
  const log = createLogger({ name: 'status', level: 'silent' });
  const machines = await provisionerOf({ config, installation, environment, clock, log }).list({ signal });
  const uid = delegation?.agentUid;
  return machines.filter(({ agentUid }) => uid === undefined || agentUid === undefined || agentUid === uid);
}

function describeRecord({ contractId, grant, failed, doomed, absent }: ContractRecord): string {
  const parts = [
    ...(grant
      ? [
          `${grant.created ? 'built, to be reported' : 'being built'} (epoch ${grant.epoch}, since ${grant.acceptedAt})`,
        ]
      : []),
    ...(failed ? [`failure to be reported (epoch ${failed.epoch}): ${failed.message}`] : []),
    ...(doomed.length > 0 ? [`to be destroyed (epoch ${doomed.join(', ')})`] : []),
    ...(absent.length > 0
      ? [`absence to be confirmed (epoch ${absent.map(({ epoch }) => epoch).join(', ')})`]
      : []),
  ];
  return `  ${contractId}  ${parts.join('; ')}`;
}

const STAGE_WORDS: Readonly<Record<OrphanNote['stage'], string>> = {
  Unsure: 'seen',
  Noted: 'seen',
  Stopped: 'in quarantine',
  Due: 'to be destroyed',
};

function describeMachine(machine: ListedInstance, store: Store): string {
  const note = store.orphans().notes[machine.externalId];
  const quarantined =
    note === undefined ? '' : `  of no contract: ${STAGE_WORDS[note.stage]} since ${note.since}`;
  return `  ${machine.externalId}  ${machine.state.toLowerCase()}  epoch ${machine.epoch}  since ${machine.createdAt}${quarantined}`;
}
