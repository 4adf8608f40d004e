/** Logs in without an ssh program: a terminal, or one command, over the ssh2 library. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, type ClientChannel, type ConnectConfig } from 'ssh2';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import type { Login } from './command.ts';
import { algorithmsOf, type HostKey, parseHostKey } from './host-key.ts';

export type Terminal = Readonly<{
  login: Login;
  /** The key that was verified; no other is accepted. */
  hostKey: HostKey;
  identity: string | undefined;
  remoteCommand: readonly string[];
}>;

/** The exit code of what ran there. Throws Network or Refused when the login fails. */
export async function openTerminal(context: Context, terminal: Terminal): Promise<number> {
  const { login, remoteCommand } = terminal;
  const client = new Client();
  try {
    await connect(client, { config: await configOf(context, terminal), login });
    return await open(client, { context, remoteCommand });
  } finally {
    client.end();
  }
}

async function configOf(context: Context, { login, hostKey, identity }: Terminal): Promise<ConnectConfig> {
  const files = identity
    ? [identity]
    : ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => join(context.homeFolder, '.ssh', name));
  const keys = await Promise.all(files.map((file) => readFile(file).catch(() => undefined)));
  const privateKey = keys.find((key) => key !== undefined);
  const agent = context.env['SSH_AUTH_SOCK'];
  if (!privateKey && !agent)
    throw new Failure('Usage', `there is no private key in ${files.join(', ')}`, {
      next: 'Name it with --identity FILE.',
    });
  return {
    host: login.host,
    port: login.port,
    username: login.user ?? context.env['USER'] ?? 'root',
    readyTimeout: 15_000,
    keepaliveInterval: 15_000,
    ...(privateKey ? { privateKey } : {}),
    ...(agent ? { agent } : {}),
    // Compared once more: between the check and this connection somebody could have stepped in.
    algorithms: { serverHostKey: algorithmsOf(hostKey) },
    hostVerifier: (raw: Buffer) => parseHostKey(raw).base64 === hostKey.base64,
  };
}

type Connection = Readonly<{ config: ConnectConfig; login: Login }>;

function connect(client: Client, { config, login }: Connection): Promise<void> {
  return new Promise((resolve, reject) => {
    client.once('ready', resolve);
    client.on('error', (cause) =>
      reject(
        'level' in cause && cause.level === 'client-authentication'
          ? new Failure('Refused', `the machine at ${login.host}:${login.port} does not accept your key`, {
              next: 'Name the private half of the key that you rented with: --identity FILE.',
              cause,
            })
          : new Failure('Network', `the login at ${login.host}:${login.port} failed: ${cause.message}`, {
              cause,
            }),
      ),
    );
    client.connect(config);
  });
}

type Opening = Readonly<{ context: Context; remoteCommand: readonly string[] }>;

/** The exit code. The channel is listened to at once: what a short command says may be there already. */
function open(client: Client, { context, remoteCommand }: Opening): Promise<number> {
  return new Promise((resolve, reject) => {
    const opened = (error: Error | undefined, channel: ClientChannel): void =>
      error
        ? reject(new Failure('Refused', `no session: ${error.message}`, { cause: error }))
        : resolve(attach(context, channel));
    if (remoteCommand.length > 0) client.exec(remoteCommand.join(' '), opened);
    else if (isTerminal(context)) client.shell(windowOf(context), opened);
    else client.shell(false, opened);
  });
}

const windowOf = ({ env, stdout }: Context) => ({
  term: env['TERM'] ?? 'xterm',
  cols: stdout.columns ?? 80,
  rows: stdout.rows ?? 24,
});

function attach(context: Context, channel: ClientChannel): Promise<number> {
  const { stdin, stdout, stderr, signal } = context;
  const setRaw =
    'setRawMode' in stdin && typeof stdin.setRawMode === 'function' ? stdin.setRawMode : undefined;
  return new Promise((resolve) => {
    const restore = (): void => {
      if (isTerminal(context)) setRaw?.call(stdin, false);
      stdin.unpipe(channel);
      stdin.pause();
    };
    if (isTerminal(context)) setRaw?.call(stdin, true);
    stdin.pipe(channel);
    channel.on('data', (chunk: Buffer) => stdout.write(chunk.toString()));
    channel.stderr.on('data', (chunk: Buffer) => stderr.write(chunk.toString()));
    let exitCode = 0;
    channel.on('exit', (code: number | null) => {
      exitCode = code ?? 1;
    });
    channel.on('close', () => {
      restore();
      resolve(exitCode);
    });
    signal.addEventListener('abort', () => channel.close(), { once: true });
  });
}

const isTerminal = ({ stdin, stdout }: Context): boolean => stdin.isTTY === true && stdout.isTTY === true;
