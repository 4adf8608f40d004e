/**
 * Looks at an SSH server from outside: its banner and its host key, proven by the key exchange. No login is tried.
 * What answers here is what the tenant's client will see, so a fingerprint from here may be shown to a tenant.
 */
import { createHash } from 'node:crypto';
import { Socket } from 'node:net';
import { Client } from 'ssh2';
import { withDeadline } from '../lib/abort.ts';

export type SshProbe = Readonly<{
  /** The server's identification line, e.g. `SSH-2.0-OpenSSH_9.6`. */
  banner: string;
  /** As `ssh-keygen -l` prints it: `SHA256:` and 43 base64 characters. */
  hostKeyFingerprint: string;
}>;

/** Refused: nothing listens. Unreachable: no way there, or no such name. All but NotSsh may pass with time. */
export type SshProbeErrorCode = 'Refused' | 'Unreachable' | 'TimedOut' | 'Closed' | 'NotSsh';

export class SshProbeError extends Error {
  override readonly name = 'SshProbeError';
  readonly code: SshProbeErrorCode;

  constructor(code: SshProbeErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }

  get isRetryable(): boolean {
    return this.code !== 'NotSsh';
  }
}

export type SshTarget = Readonly<{ host: string; port: number; timeoutMs: number; signal: AbortSignal }>;

/** A server may say other things first (RFC 4253, 4.2), but not without end. */
const PREAMBLE_MAX_CHARACTERS = 8192;

/** Throws `SshProbeError`, or the signal's reason when it is aborted. */
export async function probeSsh({ host, port, timeoutMs, signal }: SshTarget): Promise<SshProbe> {
  signal.throwIfAborted();
  const where = `${host}:${port}`;
  const deadline = withDeadline(signal, timeoutMs);
  const socket = new Socket();
  const heard = listen(socket);
  try {
    return await handshake({ socket, host, port, heard, deadline });
  } catch (error) {
    signal.throwIfAborted();
    throw error === deadline.reason ? timedOut(where, timeoutMs, heard()) : translate(where, error, heard());
  } finally {
    socket.destroy();
  }
}

type Attempt = Readonly<{
  socket: Socket;
  host: string;
  port: number;
  heard: () => string;
  deadline: AbortSignal;
}>;

function handshake({ socket, host, port, heard, deadline }: Attempt): Promise<SshProbe> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    let key: Buffer | undefined;
    deadline.addEventListener('abort', () => reject(deadline.reason), { once: true });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('connection closed')));
    socket.on('data', () => {
      if (isNonsense(heard())) reject(new Error('not SSH'));
    });
    client.on('error', reject); // stays: it also hears of the socket that is destroyed in the end
    client.once('handshake', () => {
      // Only now has the server proven that it has the key: by its signature over this very exchange.
      const banner = bannerIn(heard());
      if (key && banner) resolve({ banner, hostKeyFingerprint: fingerprintOf(key) });
      else reject(new Error('no host key'));
    });
    socket.connect(port, host);
    client.connect({
      sock: socket,
      username: 'dc-agent-probe',
      readyTimeout: 0, // the deadline is ours
      hostVerifier: (offered: Buffer) => {
        key = offered;
        return true;
      },
    });
  });
}

/** What the server has said so far, as text: enough of it to see the banner. */
function listen(socket: Socket): () => string {
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    if (text.length < PREAMBLE_MAX_CHARACTERS) text += chunk.toString('latin1');
  });
  return () => text;
}

const bannerIn = (text: string): string | undefined =>
  /^SSH-(?:2\.0|1\.99)-[^\r\n]{1,250}(?=\r?\n)/m.exec(text)?.[0];

/** True as soon as it is clear: it began with bytes that no text has, answered HTTP, or never stops talking. */
function isNonsense(text: string): boolean {
  if (bannerIn(text)) return false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return text.length >= PREAMBLE_MAX_CHARACTERS || /^HTTP\/|[\x00-\x08\x0e-\x1f]/.test(text);
}

function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

function timedOut(where: string, timeoutMs: number, heard: string): SshProbeError {
  const how =
    heard === '' ? 'said nothing' : `did not finish the key exchange; it began with ${excerpt(heard)}`;
  return new SshProbeError('TimedOut', `${where} ${how} within ${timeoutMs / 1000} s`);
}

const UNREACHABLE = [
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EADDRNOTAVAIL',
  'EACCES',
  'EPERM',
];

function translate(where: string, error: unknown, heard: string): SshProbeError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const message = error instanceof Error ? error.message : String(error);
  if (code === 'ECONNREFUSED') return new SshProbeError('Refused', `nothing listens on ${where}`, error);
  if (code === 'ETIMEDOUT') return new SshProbeError('TimedOut', `${where} does not answer`, error);
  if (UNREACHABLE.includes(code))
    return new SshProbeError('Unreachable', `${where} cannot be reached: ${message}`, error);
  if (heard !== '' && !bannerIn(heard))
    return new SshProbeError('NotSsh', `${where} is no SSH server: it began with ${excerpt(heard)}`, error);
  if (heard === '')
    return new SshProbeError('Closed', `${where} closed the connection without a word`, error);
  return new SshProbeError('Closed', `${where} broke off the key exchange: ${message}`, error);
}

const excerpt = (text: string): string => JSON.stringify(text.slice(0, 60));
