/**
 * The market on top of the servers: operator, facade, a pool with two agents, a first machine rented and
 * logged in to, all through the public ways that a user has. Whatever was started is stopped in the opposite
 * order, also when a step fails or Ctrl-C comes half-way.
 */
import { join, relative } from 'node:path';
import type { ContractView } from '../../crds/wire/market.ts';
import { aborted } from '../../lib/abort.ts';
import type { Dev } from '../commands/dev.ts';
import { Failure } from '../failure.ts';
import { writeFileAtomically } from '../files.ts';
import { failOnExit, type ManagedProcess } from '../processes/managed-process.ts';
import { createApi } from './api-client.ts';
import { instancesFolder, setInstances } from './instances.ts';
import { type DemoKeys, ensureKeys } from './keys.ts';
import { runBySsh } from './login.ts';
import type { StartOptions } from './options.ts';
import { DEFAULT_PORT, type ProgramOptions, startFacade, startOperator } from './programs.ts';
import { cancelAndWait, rentOnce, type Tenant, untilActive } from './rental.ts';
import type { Servers } from './servers.ts';
import { applySamples, startAgents } from './supply.ts';
import { together } from './together.ts';

export async function runMarket(
  dev: Dev,
  { servers, options }: Readonly<{ servers: Servers; options: StartOptions }>,
): Promise<void> {
  const programs: ManagedProcess[] = [];
  const started = (program: ManagedProcess): void => void programs.push(program);
  const reload = options.reload ?? false;
  const port = options.port ?? DEFAULT_PORT;
  const apiUrl = `http://127.0.0.1:${port}`;
  const keys = ensureKeys(dev.paths);
  const api = createApi({ url: apiUrl, clock: dev.clock, signal: dev.signal });
  const tenant: Tenant = { api, keys };
  try {
    await startPrograms(dev, { servers, port, reload, started });
    await dev.progress.step(`pool, offering, 2 agents joined`, async (step) => {
      await applySamples(dev, { servers, keys });
      const restarted = await setInstances(dev, 'start');
      if (restarted > 0) step.detail(`${restarted} instance${restarted === 1 ? '' : 's'} started again`);
      const instances = instancesFolder(dev);
      await startAgents(dev, { servers, keys, api, apiUrl, instances, reload, started });
    });
    const contract = await rentAndLogIn(dev, tenant);
    writeSettings(dev, { apiUrl });
    if (options.once) {
      await dev.progress.step('cancelled, and the instance is gone', () =>
        cancelAndWait(dev, { tenant, contractId: contract.contractId }),
      );
      return;
    }
    sayWhatNext(dev, { servers, apiUrl, contract, keys });
    await Promise.race([aborted(dev.signal), ...programs.map(failOnExit), servers.failed()]);
  } finally {
    await stopAll(dev, programs);
  }
}

function startPrograms(dev: Dev, options: ProgramOptions): Promise<[ManagedProcess, ManagedProcess]> {
  return together(dev, [(own) => startOperator(own, options), (own) => startFacade(own, options)]);
}

async function rentAndLogIn(dev: Dev, tenant: Tenant): Promise<ContractView> {
  const { contractId } = await dev.progress.step('rented demo/hello', async (step) => {
    const rental = await rentOnce(dev, tenant);
    if (!rental.isNew) step.title('demo/hello is rented since the last start');
    step.detail(rental.contractId);
    return rental;
  });
  const contract = await dev.progress.step('active', async (step) => {
    const active = await untilActive(dev, { tenant, contractId, report: step.report });
    step.detail(`${active.access?.host ?? ''}:${active.access?.port ?? ''}`);
    return active;
  });
  await dev.progress.step('logged in', async (step) => {
    const { host, port, user, hostKeyFingerprint } = reachable(contract);
    const { output, knownHost } = await runBySsh({
      ...{ host, port, user, fingerprint: hostKeyFingerprint, privateKey: tenant.keys.ssh.privateKey },
      command: 'echo "hello from $(basename "$(dirname "$PWD")")"',
    });
    writeFileAtomically(join(dev.paths.state, 'known_hosts'), `${knownHost}\n`);
    step.title(`logged in: "${output}"`);
  });
  return contract;
}

function reachable({ access, contractId }: ContractView) {
  if (!access?.host || !access.port)
    throw new Failure('StepFailed', `contract ${contractId} is active without an address`);
  return { ...access, host: access.host, port: access.port, user: access.user ?? 'tenant' };
}

/** What `dcm` reads in this checkout, so that it needs no options. */
function writeSettings({ paths }: Dev, { apiUrl }: Readonly<{ apiUrl: string }>): void {
  const keys = {
    tenant: join(paths.state, 'keys', 'tenant.key'),
    provider: join(paths.state, 'keys', 'provider.key'),
  };
  writeFileAtomically(
    join(paths.state, 'dcm.json'),
    `${JSON.stringify({ apiUrl, keys, sshIdentity: join(paths.state, 'demo_key') }, null, 2)}\n`,
    0o600,
  );
}

type Next = Readonly<{ servers: Servers; apiUrl: string; contract: ContractView; keys: DemoKeys }>;

function sayWhatNext(dev: Dev, { servers, apiUrl, contract, keys }: Next): void {
  const { host, port, user } = reachable(contract);
  const short = (file: string): string => {
    const path = relative(dev.paths.root, file);
    return path.startsWith('..') ? file : path;
  };
  dev.progress.say(`
Try:
  ssh -p ${port} -i ${short(keys.ssh.file)} -o UserKnownHostsFile=.dcmarket/known_hosts ${user}@${host}
  KUBECONFIG=${short(servers.kubeconfig)} kubectl get contracts -A      (kubectl: ${servers.kubectl.kubectl})
  npx dcm contracts
  ${apiUrl}/docs
Logs: ${short(dev.paths.folders.logs)}/. Ctrl-C stops everything; data stays in .dcmarket/.`);
}

/** Agents, facade, operator; then the instances, which no agent stops. */
async function stopAll(dev: Dev, programs: readonly ManagedProcess[]): Promise<void> {
  const isAgent = ({ name }: ManagedProcess): boolean => name.startsWith('agent-');
  await Promise.all(programs.filter(isAgent).map((program) => program.stop()));
  await Promise.all(programs.filter((program) => !isAgent(program)).map((program) => program.stop()));
  const stopped = await setInstances(dev, 'stop');
  if (stopped > 0)
    dev.progress.say(
      stopped === 1
        ? '  1 instance stopped; the next start brings it back'
        : `  ${stopped} instances stopped; the next start brings them back`,
    );
}
