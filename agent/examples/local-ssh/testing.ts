/** What these tests share: a root folder of their own, the script provisioner on it, and SSH clients. */
import { execFile, execFileSync } from 'node:child_process';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, type ClientCallback, type ClientChannel, type ConnectConfig, utils } from 'ssh2';
import { systemClock } from '../../../lib/clock.ts';
import { createLogger } from '../../../lib/log.ts';
import type { CreatedInstance, CreateRequest, Provisioner } from '../../provisioner/provisioner.ts';
import { ScriptConfig, scriptProvisioner } from '../../provisioner/script.ts';
import { aRef, aRequest, eventually, isAlive } from '../../provisioner/testing.ts';

export const SCRIPT = fileURLToPath(new URL('./local-ssh.mjs', import.meta.url));
export const isRoot = process.getuid?.() === 0;
export const tenantKey = utils.generateKeyPairSync('ecdsa', { bits: 256 });
export const signal = AbortSignal.timeout(120_000);

export type World = Readonly<{ root: string; provisioner: Provisioner; remove: () => Promise<void> }>;

export async function aWorld(): Promise<World> {
  const root = await mkdtemp(join(tmpdir(), 'dcmarket-instances-'));
  await chmod(root, 0o711);
  const provisioner = scriptProvisioner({
    config: ScriptConfig.parse({ provision: SCRIPT, timeout_seconds: 30 }),
    installation: 'inst-1',
    environment: { PATH: process.env['PATH'], DC_INSTANCES_DIR: root, AGENT_TOKEN: 'not-for-tenants' },
    clock: systemClock,
    log: createLogger({ name: 'test', level: 'silent' }),
  });
  const remove = async (): Promise<void> => {
    const daemons = daemonsIn(root); // by hand: the actions are what is tested, and slower
    for (const pid of daemons) process.kill(pid, 'SIGTERM');
    await eventually(() => !daemons.some(isAlive), 'the instances have ended');
    await rm(root, { recursive: true, force: true });
  };
  return { root, provisioner, remove };
}

/** A request whose contract nobody else has, so that test files can run beside each other. */
export function aTenantsRequest(digit: string): CreateRequest {
  return aRequest({ contractId: digit.repeat(32), sshPublicKeys: [`${tenantKey.public} me@home`] });
}

export const refOf = (request: CreateRequest) =>
  aRef({ contractId: request.contractId, externalId: `dc-${request.contractId}` });

/** One action without the provisioner around it; the answer as it was written. Killed after `killAfterMs`. */
export function act(root: string, request: object, killAfterMs?: number): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env['PATH'], DC_INSTANCES_DIR: root };
    const timeout = killAfterMs === undefined ? {} : { timeout: killAfterMs, killSignal: 'SIGKILL' as const };
    const child = execFile(process.execPath, [SCRIPT], { env, ...timeout }, (error, stdout) =>
      error ? reject(error) : resolve(JSON.parse(stdout)),
    );
    child.stdin?.on('error', () => undefined).end(JSON.stringify(request));
  });
}

export function connect(
  instance: CreatedInstance,
  options: ConnectConfig = {},
): Promise<Client & AsyncDisposable> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    const dispose = async (): Promise<void> => void client.end();
    client.once('connect', () => client.setNoDelay(true));
    client.once('ready', () => resolve(Object.assign(client, { [Symbol.asyncDispose]: dispose })));
    client.on('error', reject);
    client.connect({
      host: '127.0.0.1',
      port: instance.port,
      username: 'tenant',
      privateKey: tenantKey.private,
      ...options,
    });
  });
}

export type Ran = Readonly<{
  stdout: string;
  stderr: string;
  code: number | null;
  signal: string | undefined;
}>;
/** In an object, so that awaiting the start of a channel does not await its end. */
export type Opened = Readonly<{ channel: ClientChannel; output: () => string; done: Promise<Ran> }>;

export const exec = (client: Client, command: string): Promise<Opened> =>
  open((opened) => client.exec(command, opened));
export const shell = (
  client: Client,
  terminal: { term: string; rows: number; cols: number },
): Promise<Opened> => open((opened) => client.shell(terminal, opened));

export async function run(client: Client, command: string, stdin: Buffer | string = ''): Promise<Ran> {
  const { channel, done } = await exec(client, command);
  channel.end(stdin);
  return done;
}

/** Listens from the very start: a quick command may have ended before a promise would get its turn. */
function open(start: (opened: ClientCallback) => unknown): Promise<Opened> {
  return new Promise((resolve, reject) =>
    start((error, channel) => (error ? reject(error) : resolve({ channel, ...listen(channel) }))),
  );
}

function listen(channel: ClientChannel): Omit<Opened, 'channel'> {
  let [stdout, stderr] = ['', ''];
  let exit: Pick<Ran, 'code' | 'signal'> = { code: null, signal: undefined };
  channel.on('data', (chunk: Buffer) => {
    stdout += chunk.toString('latin1'); // byte by byte
  });
  channel.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('latin1');
  });
  channel.on('exit', (code: number | null, name?: string) => {
    exit = { code, signal: name };
  });
  const done = new Promise<Ran>((resolve) => channel.on('close', () => resolve({ stdout, stderr, ...exit })));
  return { output: () => stdout, done };
}

/** Command and answer in one: a login, a command, a logout. */
export async function ssh(instance: CreatedInstance, command: string): Promise<string> {
  await using client = await connect(instance);
  return (await run(client, command)).stdout.trim();
}

/** The processes of instances below the root, as the operating system lists them. */
export function daemonsIn(root: string): number[] {
  const lines = execFileSync('ps', ['-axww', '-o', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  return lines
    .filter((line) => line.includes(`daemon.mjs`) && line.includes(`--root ${root} `))
    .map(Number.parseFloat);
}

/** What is left of instances below the root. */
export async function leftIn(root: string): Promise<string[]> {
  return (await readdir(root)).filter((name) => name !== '.lock');
}
