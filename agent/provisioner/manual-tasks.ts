/**
 * What the manual provisioner and a person tell each other, through files below the agent's state folder:
 *
 *   manual/<contract>/task.json     the agent's: what is to be built or removed, with the tags
 *   manual/<contract>/report.json   the person's, by `dc-agent manual …`: done, failed or gone
 *
 * A report answers one task, named by its id: what was said about an earlier attempt counts for nothing.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { makePrivateFolder, readIfThere, writeDurably } from '../files.ts';
import { ERROR_CLASSES, ProvisionerError } from './provisioner-error.ts';

const ContractId = z.string().regex(/^[0-9a-f]{32}$/, '32 hexadecimal digits');

export const ManualTask = z.strictObject({
  id: z.uuid(),
  wanted: z.enum(['Build', 'Remove']),
  contractId: ContractId,
  epoch: z.int().min(0),
  installation: z.string(),
  agentUid: z.string(),
  createdAt: z.iso.datetime(),
  offeringId: z.string(),
  cpuCores: z.number().optional(),
  memoryMb: z.number().optional(),
  storageGb: z.number().optional(),
  sshPublicKeys: z.array(z.string()),
  /** May hold secrets: in the file, which only the agent's user can read, never in a log. */
  instanceConfig: z.record(z.string(), z.unknown()),
  postProvisionScript: z.string().optional(),
});
export type ManualTask = z.infer<typeof ManualTask>;

const Done = z.strictObject({
  outcome: z.literal('Done'),
  externalId: z.string().min(1).max(253).regex(/^\S+$/, 'no blanks'),
  host: z.union([z.ipv4(), z.ipv6(), z.hostname()], 'an address or a host name'),
  port: z.int().min(1).max(65_535),
  user: z.string().min(1).max(64).optional(),
  /** The person has seen that the tenant can log in. */
  isConfirmed: z.boolean(),
});
const Failed = z.strictObject({
  outcome: z.literal('Failed'),
  message: z.string().min(1).max(2000),
  class: z.enum(ERROR_CLASSES).optional(),
});
const Gone = z.strictObject({ outcome: z.literal('Gone') });

/** What a person says. `Failed` means as well that nothing of it is left. */
export const ManualReport = z.discriminatedUnion('outcome', [Done, Failed, Gone]);
export type ManualReport = z.infer<typeof ManualReport>;
const Filed = z.object({ task: z.uuid(), report: ManualReport });

const rootOf = (stateDir: string): string => join(stateDir, 'manual');
const fileOf = (stateDir: string, contractId: string, name: string): string =>
  join(rootOf(stateDir), ContractId.parse(contractId), name);

export function readTask(stateDir: string, contractId: string): ManualTask | undefined {
  return read(fileOf(stateDir, contractId, 'task.json'), ManualTask);
}

export function writeTask(stateDir: string, task: ManualTask): void {
  makePrivateFolder(rootOf(stateDir));
  mkdirSync(join(rootOf(stateDir), task.contractId), { recursive: true, mode: 0o700 });
  writeDurably(fileOf(stateDir, task.contractId, 'task.json'), JSON.stringify(task, undefined, 2));
}

export function removeTask(stateDir: string, { contractId }: Pick<ManualTask, 'contractId'>): void {
  // The task goes first: a report without a task means nothing, a task without its report would be asked again.
  rmSync(fileOf(stateDir, contractId, 'task.json'), { force: true });
  rmSync(join(rootOf(stateDir), contractId), { recursive: true, force: true });
}

/** Every task, oldest first. Throws `StateUnreadable` when one of them cannot be read. */
export function readTasks(stateDir: string): readonly ManualTask[] {
  makePrivateFolder(rootOf(stateDir));
  return readdirSync(rootOf(stateDir))
    .filter((name) => ContractId.safeParse(name).success)
    .flatMap((contractId) => readTask(stateDir, contractId) ?? [])
    .sort((a, b) => a.createdAt.localeCompare(b.createdAt));
}

export function readReport(stateDir: string, task: ManualTask): ManualReport | undefined {
  const filed = read(fileOf(stateDir, task.contractId, 'report.json'), Filed);
  return filed?.task === task.id ? filed.report : undefined;
}

/**
 * Files what a person says, for `dc-agent manual done | failed | gone CONTRACT_ID`. Throws `UnknownTask` when
 * nothing of that contract waits here, or not for this.
 */
export function fileReport(stateDir: string, contractId: string, report: ManualReport): ManualTask {
  const id = contractId.replace(/^dc-/, '').replaceAll('-', '').toLowerCase();
  const task = ContractId.safeParse(id).success ? readTask(stateDir, id) : undefined;
  if (!task) throw unknownTask(`no task of contract ${contractId} is here`, waitingIn(stateDir));
  const before = readReport(stateDir, task);
  if (before?.outcome === 'Done' && report.outcome === 'Failed')
    throw unknownTask(
      `${contractId} was reported as done`,
      `Remove the machine, then: dc-agent manual gone ${id}`,
    );
  if (task.wanted === 'Remove' && report.outcome !== 'Gone')
    throw unknownTask(
      `${contractId} is to be removed, not built`,
      `Remove it, then: dc-agent manual gone ${id}`,
    );
  const filed = Filed.parse({ task: task.id, report });
  writeDurably(fileOf(stateDir, id, 'report.json'), JSON.stringify(filed, undefined, 2));
  return task;
}

function waitingIn(stateDir: string): string {
  const ids = readTasks(stateDir).map(({ contractId, wanted }) => `${contractId} (${wanted})`);
  return ids.length === 0 ? 'Nothing waits for a person here.' : `Waiting here: ${ids.join(', ')}.`;
}

const unknownTask = (message: string, remedy: string): ProvisionerError =>
  new ProvisionerError('UnknownTask', message, { remedy });

function read<S extends z.ZodType>(path: string, schema: S): z.infer<S> | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new ProvisionerError('StateUnreadable', `${path} is damaged`, {
      remedy:
        'Look at the machine by hand; then correct the file, or remove its folder if there is no machine.',
      cause,
    });
  }
}
