/** Logs in to an instance by SSH with the demo's key, checks its host key, and runs one command. */
import { createHash } from 'node:crypto';
import ssh2 from 'ssh2';
import { Failure } from '../failure.ts';

export type Login = Readonly<{
  host: string;
  port: number;
  user: string;
  privateKey: string;
  /** As the agent reported it; another one is refused. */
  fingerprint: string | null;
  command: string;
}>;

export type LoginResult = Readonly<{ output: string /** A line for known_hosts. */; knownHost: string }>;

const DEADLINE_MS = 15_000;

export function runBySsh({
  host,
  port,
  user,
  privateKey,
  fingerprint,
  command,
}: Login): Promise<LoginResult> {
  const connection = new ssh2.Client();
  let knownHost = '';
  let seen = '';
  const done = new Promise<LoginResult>((resolve, reject) => {
    connection.once('error', (cause) => {
      const why =
        seen && fingerprint && seen !== fingerprint
          ? `its host key is ${seen}, not ${fingerprint}`
          : cause.message;
      reject(new Failure('StepFailed', `ssh ${user}@${host} -p ${port}: ${why}`, { cause }));
    });
    connection.once('ready', () => {
      connection.exec(command, (error, stream) => {
        if (error) return reject(error);
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.once('close', (code: number | null) => {
          const output = Buffer.concat(chunks).toString('utf8').trim();
          if (code === 0) resolve({ output, knownHost });
          else reject(new Failure('StepFailed', `"${command}" ended with code ${code}: ${output}`));
        });
      });
    });
  });
  connection.connect({
    host,
    port,
    username: user,
    privateKey,
    readyTimeout: DEADLINE_MS,
    hostVerifier: (key: Buffer) => {
      seen = `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
      knownHost = `[${host}]:${port} ssh-ed25519 ${key.toString('base64')}`;
      return fingerprint === null || seen === fingerprint;
    },
  });
  return done.finally(() => connection.end());
}
