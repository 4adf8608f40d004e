/** `dc-agent manual done | failed | gone`: a person tells the running agent what became of a machine. */
import { loadConfig } from '../config/load.ts';
import { EXIT, Failure } from '../failure.ts';
import type { Output } from '../output.ts';
import { fileReport, ManualReport } from '../provisioner/manual-tasks.ts';

type Deps = Readonly<{ configFile: string; output: Output }>;

export function reportDone(
  deps: Deps,
  contract: string,
  flags: Readonly<{ externalId: string; host: string; port: string; user?: string; confirm?: boolean }>,
): void {
  const { externalId, host, port, user, confirm } = flags;
  file(deps, contract, {
    outcome: 'Done',
    externalId,
    host,
    port: Number(port),
    ...(user === undefined ? {} : { user }),
    isConfirmed: confirm === true,
  });
}

export function reportFailed(
  deps: Deps,
  contract: string,
  flags: Readonly<{ message: string; class?: string }>,
): void {
  file(deps, contract, {
    outcome: 'Failed',
    message: flags.message,
    ...(flags.class === undefined ? {} : { class: flags.class }),
  });
}

export const reportGone = (deps: Deps, contract: string): void => file(deps, contract, { outcome: 'Gone' });

/** Throws Failure for what is not valid, ProvisionerError for a contract that nobody waits for. */
function file({ configFile, output }: Deps, contract: string, said: Readonly<Record<string, unknown>>): void {
  const { config } = loadConfig(configFile);
  const report = ManualReport.safeParse(said);
  if (!report.success) {
    const problems = report.error.issues.map(
      ({ path, message }) => `${path.join('.') || 'report'}: ${message}`,
    );
    throw new Failure(problems.join('; '), {
      next: 'Correct it: dc-agent manual --help shows the options.',
      exitCode: EXIT.Misused,
    });
  }
  const task = fileReport(config.agent.state_dir, contract, report.data);
  output.good(`noted for contract ${task.contractId}; the agent takes it up within a few seconds`);
}
