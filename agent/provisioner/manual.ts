/**
 * Provisioner `manual`: a person builds and removes. Every call waits for that person's report, for as long as
 * its signal lets it; whoever calls renews the lock meanwhile. A task that nobody has answered yet is listed as
 * `Unknown`: there may be a machine of it, and only a person can tell.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import {
  type ManualReport,
  type ManualTask,
  readReport,
  readTask,
  readTasks,
  removeTask,
  writeTask,
} from './manual-tasks.ts';
import type {
  Cancellable,
  CreatedInstance,
  CreateRequest,
  InstanceRef,
  ListedInstance,
  Provisioner,
} from './provisioner.ts';
import { ProvisionerError, refuseForeign } from './provisioner-error.ts';

export type ManualDeps = Readonly<{
  stateDir: string;
  installation: string;
  clock: Clock;
  log: Logger;
  /** How often it looks whether somebody has reported. */
  pollMs?: number;
}>;

const POLL_MS = 1000;

export function manualProvisioner(deps: ManualDeps): Provisioner {
  return {
    type: 'manual',
    create: async (request, { signal }) => built(deps, taskFor(deps, request), signal),
    adopt: async (ref, tags, { signal }) => {
      const task = readTask(deps.stateDir, ref.contractId);
      if (!task) throw nothingOf(ref);
      refuseForeign(task.epoch === tags.epoch ? { ...ref, ...tags } : ref, task);
      const adopted = { ...task, ...tags };
      writeTask(deps.stateDir, adopted);
      return built(deps, adopted, signal);
    },
    destroy: (ref, options) => destroy(deps, ref, options),
    start: async (ref) => needsPerson(deps, ref, 'start'),
    stop: async (ref) => needsPerson(deps, ref, 'stop'),
    observe: async () => ({ status: 'Unknown' }),
    list: async () =>
      readTasks(deps.stateDir)
        .filter(({ installation }) => installation === deps.installation)
        .flatMap((task) => listed(task, readReport(deps.stateDir, task))),
  };
}

/** The task of this very request; a new one where there is none. */
function taskFor({ stateDir, clock }: ManualDeps, request: CreateRequest): ManualTask {
  const existing = readTask(stateDir, request.contractId);
  if (existing) {
    refuseForeign({ ...request, externalId: nameOf(request) }, existing);
    if (existing.wanted === 'Build') return existing;
    throw new ProvisionerError('Superseded', `${nameOf(request)} is being removed`, {
      remedy: `Remove it, then: dc-agent manual gone ${request.contractId}`,
    });
  }
  const { sshPublicKeys, instanceConfig, ...facts } = request;
  const task: ManualTask = {
    ...defined(facts),
    id: randomUUID(),
    wanted: 'Build',
    createdAt: clock.now().toISOString(),
    sshPublicKeys: [...sshPublicKeys],
    instanceConfig: { ...instanceConfig },
  };
  writeTask(stateDir, task);
  return task;
}

async function built(deps: ManualDeps, task: ManualTask, signal: AbortSignal): Promise<CreatedInstance> {
  if (!readReport(deps.stateDir, task)) announceBuild(deps, task);
  let report = readReport(deps.stateDir, task);
  for (; !report; report = readReport(deps.stateDir, task)) await wait(deps, signal);
  if (report.outcome === 'Done') {
    const { externalId, host, port, user, isConfirmed } = report;
    return { externalId, host, port, user, addresses: [host], isConfirmed, details: {} };
  }
  removeTask(deps.stateDir, task);
  const message = report.outcome === 'Failed' ? report.message : 'a person says that the machine is gone';
  throw new ProvisionerError('PersonReportedFailure', message, {
    remedy: 'Ask whoever reported it: dc-agent manual failed.',
    class: report.outcome === 'Failed' ? report.class : undefined,
  });
}

async function destroy(deps: ManualDeps, ref: InstanceRef, { signal }: Cancellable): Promise<'Absent'> {
  const found = readTask(deps.stateDir, ref.contractId);
  if (!found) return 'Absent';
  refuseForeign(ref, found);
  const task: ManualTask = { ...found, wanted: 'Remove' };
  writeTask(deps.stateDir, task);
  const isDone = (report: ManualReport | undefined): boolean =>
    report !== undefined && report.outcome !== 'Done';
  if (!isDone(readReport(deps.stateDir, task)))
    deps.log.warn(
      { contract: ref.contractId, machine: ref.externalId, then: `dc-agent manual gone ${ref.contractId}` },
      'a person has to remove a machine, or make sure that there is none',
    );
  // The task may also go while we wait: a build that was told "gone" takes it away.
  while (readTask(deps.stateDir, ref.contractId) && !isDone(readReport(deps.stateDir, task)))
    await wait(deps, signal);
  removeTask(deps.stateDir, task);
  return 'Absent';
}

const wait = ({ clock, pollMs = POLL_MS }: ManualDeps, signal: AbortSignal): Promise<void> =>
  clock.sleep(pollMs, { signal });

function announceBuild({ log, stateDir }: ManualDeps, task: ManualTask): void {
  const { contractId, offeringId, cpuCores, memoryMb, storageGb } = task;
  const done = `dc-agent manual done ${contractId} --external-id … --host … --port … [--confirm]`;
  const failed = `dc-agent manual failed ${contractId} --message …`;
  const everything = `${stateDir}/manual/${contractId}/task.json`;
  log.warn(
    { contract: contractId, offeringId, cpuCores, memoryMb, storageGb, everything, then: done, or: failed },
    'a person has to build a machine',
  );
}

function listed(task: ManualTask, report: ManualReport | undefined): ListedInstance[] {
  const { contractId, epoch, installation, agentUid, createdAt } = task;
  const common = { contractId, epoch, installation, agentUid, createdAt };
  if (report === undefined) return [{ ...common, externalId: nameOf(task), state: 'Unknown' }];
  return report.outcome === 'Done' ? [{ ...common, externalId: report.externalId, state: 'Running' }] : [];
}

function needsPerson({ log }: ManualDeps, ref: InstanceRef, verb: 'start' | 'stop'): never {
  log.warn({ contract: ref.contractId, machine: ref.externalId }, `a person has to ${verb} a machine`);
  throw new ProvisionerError('PersonNeeded', `a person has to ${verb} ${ref.externalId}`, {
    remedy: `${verb === 'start' ? 'Start' : 'Stop'} the machine by hand.`,
  });
}

function nothingOf({ externalId }: InstanceRef): ProvisionerError {
  return new ProvisionerError('Superseded', `nothing is known of ${externalId} here`, {
    remedy: 'Nothing to do: the agent lists again and builds a new one.',
  });
}

const nameOf = ({ contractId }: Readonly<{ contractId: string }>): string => `dc-${contractId}`;

/** Without the members that are undefined: a file has none. */
function defined<T extends object>(object: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  // Object.fromEntries forgets the keys; the values are those of `object`.
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
