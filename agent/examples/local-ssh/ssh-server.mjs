/**
 * The SSH server of one instance: loopback only, by public key or by password where one was set, sessions only. Forwarding, agents, X11 and
 * subsystems have no listener, which is how ssh2 refuses them. The user name means nothing; key or password is the way in.
 */
import { timingSafeEqual } from 'node:crypto';
import ssh2 from 'ssh2';
import { matches } from './password.mjs';
import { Refusal } from './refusal.mjs';
import { serveSession } from './session.mjs';
import { HOST } from './settings.mjs';

/** @typedef {import('./session.mjs').Room} Room */
/**
 * @typedef {{ room: Room, port: number, privateKey: string, sshKeys: () => string[],
 *   password: () => import('./password.mjs').Password | undefined, log: (text: string) => void }} Options
 *   `sshKeys` and `password` are asked at each login: the tenant may have changed them.
 */

const CONNECTIONS_MAX = 64;
const SESSIONS_MAX = 16;
const ATTEMPTS_MAX = 10;
const LOGIN_MS = 20_000;

/**
 * Resolves when it listens; rejects with the listener's error, e.g. EADDRINUSE.
 * @param {Options} options
 */
export async function startServer({ room, port, privateKey, sshKeys, password, log }) {
  const keys = () => sshKeys().flatMap(parse);
  if (keys().length === 0)
    throw new Refusal('permanent', 'none of the SSH keys is one that this server can use');
  const server = new ssh2.Server({ hostKeys: [privateKey], ident: 'dcmarket-local-ssh' }, (client) =>
    serve(client, { room, keys, password, log }),
  );
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, () => resolve(undefined));
  });
  server.on('error', (/** @type {Error} */ error) => log(`listener: ${error.message}`));
  return server;
}

/**
 * @param {import('ssh2').Connection} client
 * @param {{ room: Room, keys: () => import('ssh2').ParsedKey[], password: Options['password'],
 *   log: Options['log'] }} context
 */
function serve(client, { room, keys, password, log }) {
  // Without this each answer waits some 40 ms for the client's acknowledgement. The types forgot the method.
  /** @type {import('ssh2').Connection & { setNoDelay: (noDelay: boolean) => void }} */ (client).setNoDelay(
    true,
  );
  const login = setTimeout(() => client.end(), LOGIN_MS);
  let attempts = 0;
  let sessions = 0;
  client.on('authentication', async (context) => {
    if (context.method === 'publickey' && isTenant(context, keys())) return context.accept();
    const set = password();
    attempts += 1;
    if (attempts > ATTEMPTS_MAX) return client.end();
    const isRight = context.method === 'password' && set && (await matches(context.password, set));
    if (isRight) return context.accept();
    context.reject(set ? ['publickey', 'password'] : ['publickey']);
  });
  client.on('ready', () => clearTimeout(login));
  client.on('session', (accept, reject) => {
    if (sessions >= SESSIONS_MAX) return reject();
    sessions += 1;
    serveSession(accept(), { room, log, onEnd: () => (sessions -= 1) });
  });
  // A client that breaks off or talks nonsense is not worth more than a line.
  client.on('error', (/** @type {Error} */ error) => log(`client: ${error.message}`));
  client.on('close', () => clearTimeout(login));
}

/**
 * The first question is only whether the key would do; the second one comes with a signature over this session.
 * @param {import('ssh2').PublicKeyAuthContext} context
 * @param {import('ssh2').ParsedKey[]} keys
 */
function isTenant(context, keys) {
  const key = keys.find((known) => isSame(known.getPublicSSH(), context.key.data));
  if (!key) return false;
  if (!context.signature) return true;
  return context.blob !== undefined && key.verify(context.blob, context.signature, context.hashAlgo) === true;
}

/** @param {Buffer} a @param {Buffer} b */
const isSame = (a, b) => a.length === b.length && timingSafeEqual(a, b);

/** @param {string} text */
function parse(text) {
  const parsed = ssh2.utils.parseKey(text);
  if (parsed instanceof Error) return [];
  return [parsed].flat().filter((key) => !key.isPrivateKey());
}
