/**
 * One SSH session: a login shell in a pty, or a command with its own stdin, stdout and stderr, as the tenant and in
 * its home. When the channel closes, what runs in the foreground gets SIGHUP, as from any terminal.
 */
import { spawn } from 'node:child_process';
import { chownSync } from 'node:fs';
import { constants } from 'node:os';
import { basename } from 'node:path';
import { environmentOf, shell } from './tenant.mjs';

/** @typedef {{ externalId: string, folder: string, home: string, uid: number | null }} Room */
/** @typedef {{ room: Room, log: (text: string) => void, onEnd: () => void }} Context */
/** @typedef {{ cols: number, rows: number, term: string }} Terminal */
/** @typedef {{ signal: (name: string) => void, resize: (size: { cols: number, rows: number }) => void }} Running */
/** @typedef {{ room: Room, env: Record<string, string>, command: string | undefined }} Job */

/** @param {import('ssh2').Session} session @param {Context} context */
export function serveSession(session, { room, log, onEnd }) {
  /** @type {Record<string, string>} */
  const wanted = {};
  /** @type {Terminal | undefined} */
  let terminal;
  /** @type {Running | undefined} */
  let running;

  session.on('env', (accept, _reject, { key, val }) => {
    wanted[key] = val;
    accept?.(); // undefined when the client wants no reply
  });
  session.on('pty', (accept, _reject, info) => {
    const term = 'term' in info && typeof info.term === 'string' && info.term !== '' ? info.term : 'xterm';
    terminal = { ...sizeOf(info), term };
    accept?.();
  });
  session.on('window-change', (accept, _reject, info) => {
    running?.resize(sizeOf(info));
    accept?.();
  });
  session.on('signal', (accept, _reject, { name }) => {
    running?.signal(`SIG${name}`);
    accept?.();
  });
  session.on('close', onEnd);

  const run = async (
    /** @type {import('ssh2').ServerChannel} */ channel,
    /** @type {string | undefined} */ command,
  ) => {
    const job = { room, env: environmentOf(room, wanted), command };
    channel.on('error', () => undefined); // a client that is gone
    try {
      running = terminal ? await runInTerminal(channel, job, terminal) : runPlain(channel, job);
    } catch (error) {
      log(`session: ${error instanceof Error ? error.message : error}`);
      channel.stderr.write('The instance could not start a shell; its daemon.log says why.\r\n');
      finish(channel, { code: 254 });
    }
  };
  session.on('shell', (accept) => void run(accept(), undefined));
  session.on('exec', (accept, _reject, { command }) => void run(accept(), command));
}

/** @param {import('ssh2').ServerChannel} channel @param {Job} job @returns {Running} */
function runPlain(channel, { room, env, command }) {
  const args = command === undefined ? [] : ['-c', command];
  const argv0 = command === undefined ? `-${basename(shell())}` : shell(); // "-bash" makes it a login shell
  const user = room.uid === null ? {} : { uid: room.uid, gid: room.uid };
  const child = spawn(shell(), args, { argv0, cwd: room.home, env, detached: true, stdio: 'pipe', ...user });
  let isRunning = true;
  channel.pipe(child.stdin);
  child.stdin.on('error', () => undefined); // the command need not read its input
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  child.on('error', (error) => {
    channel.stderr.write(`${error.message}\n`);
    isRunning = false;
    finish(channel, { code: 254 });
  });
  child.on('close', (code, signal) => {
    isRunning = false;
    finish(channel, signal ? { signal } : { code: code ?? 255 });
  });
  const signalGroup = (/** @type {string} */ name) => {
    if (isRunning && child.pid) send(-child.pid, name);
  };
  channel.on('close', () => signalGroup('SIGHUP'));
  return { signal: signalGroup, resize: () => undefined };
}

/**
 * @param {import('ssh2').ServerChannel} channel
 * @param {Job} job
 * @param {Terminal} terminal
 * @returns {Promise<Running>}
 */
async function runInTerminal(channel, { room, env, command }, { cols, rows, term }) {
  const { spawn: spawnInTerminal } = await import('@lydell/node-pty'); // only now: a start does not wait for it
  const user = room.uid === null ? {} : { uid: room.uid, gid: room.uid };
  const args = command === undefined ? ['-l'] : ['-c', command];
  const pty = spawnInTerminal(shell(), args, {
    name: term,
    cols,
    rows,
    cwd: room.home,
    env,
    encoding: null,
    ...user,
  });
  // Its types do not know the name of the device, the terminal does: before the shell has begun.
  handOver(/** @type {{ ptsName?: string }} */ (/** @type {unknown} */ (pty)).ptsName, room.uid);
  let isRunning = true;
  pty.onData((data) => {
    if (channel.write(data)) return;
    pty.pause();
    channel.once('drain', () => pty.resume());
  });
  channel.on('data', (/** @type {Buffer} */ data) => {
    // Its types only know text; it passes bytes on as they are, and text would break what is not UTF-8.
    if (isRunning) pty.write(/** @type {string} */ (/** @type {unknown} */ (data)));
  });
  pty.onExit(({ exitCode, signal }) => {
    isRunning = false;
    finish(channel, signal ? { signal: nameOf(signal) } : { code: exitCode });
  });
  channel.on('close', () => {
    if (isRunning) send(pty.pid, 'SIGHUP');
  });
  return {
    signal: (name) => isRunning && send(pty.pid, name),
    resize: ({ cols, rows }) => isRunning && pty.resize(cols, rows),
  };
}

/** The terminal belongs to the tenant, so that its programs can open it by name. @param {string | undefined} device */
function handOver(device, /** @type {number | null} */ uid) {
  if (uid !== null && device && /^\/dev\/pts\/\d+$/.test(device)) chownSync(device, uid, uid);
}

/** @param {import('ssh2').ServerChannel} channel @param {{ code: number } | { signal: string }} how */
function finish(channel, how) {
  try {
    if ('code' in how) channel.exit(how.code);
    else channel.exit(how.signal.slice(3), false, '');
  } catch {
    channel.exit(255); // a signal that SSH has no name for
  }
  channel.end();
}

/** @param {number} pid @param {string} name */
function send(pid, name) {
  // SSH has names that this host need not have; and what has just ended needs no signal.
  const known = Object.keys(constants.signals).find((signal) => signal === name);
  try {
    if (known) process.kill(pid, known);
  } catch {
    return;
  }
}

/** @param {number} number */
const nameOf = (number) =>
  Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? 'SIGKILL';

/** A client may say 0, or nothing. @param {{ cols?: number, rows?: number }} info */
const sizeOf = ({ cols, rows }) => ({ cols: within(cols, 80), rows: within(rows, 24) });
/** @param {number | undefined} value @param {number} otherwise */
const within = (value, otherwise) => (value && value > 0 ? Math.min(value, 1000) : otherwise);
