/**
 * Installs what the lock file says, when it is not there yet: one process at a time per checkout, output in a
 * log, a line with the time at the terminal. Plain JavaScript for Node 20.
 */
import { spawn } from 'node:child_process';
import { closeSync, lstatSync, mkdirSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from './identity.mjs';
import { isInstalled, markInstalled } from './installed.mjs';
import { finishedLine, runningLine, terminalOf } from './line.mjs';
import { waitForLock } from './lock.mjs';
import { explainNpmFailure } from './npm-failure.mjs';

const TITLE = 'dependencies';
const REDRAW_MS = 100;
const REPEAT_MS = 10_000;
const SHOW_AFTER_MS = 2_000;

/** Thrown for the person: `why` and `next` are sentences. */
export class BootstrapError extends Error {
  constructor(why, next) {
    super(why);
    this.next = next;
  }
}

export async function ensureDependencies(root, { signal, env }) {
  if (isInstalled(root)) return;
  refuseWhileRunning(root);
  refuseThroughLink(root);
  const progress = showProgress(env);
  const release = await waitForLock(join(root, '.dcmarket', 'install.lock'), 'npm ci', {
    signal,
    onWait: ({ pid }) => progress.report(`waiting for process ${pid}, which installs them already`),
  }).catch((error) => {
    progress.clear();
    throw error;
  });
  try {
    if (!isInstalled(root)) {
      progress.report('npm ci');
      await npmCi(root, { signal, env });
      markInstalled(root);
    }
    progress.finish('done');
  } catch (error) {
    progress.finish('failed');
    throw error;
  } finally {
    release();
  }
}

/** A program that runs from node_modules would lose it. */
function refuseWhileRunning(root) {
  let owner;
  try {
    owner = JSON.parse(readFileSync(join(root, '.dcmarket', 'start.lock'), 'utf8'));
  } catch {
    return;
  }
  if (isAlive(owner))
    throw new BootstrapError(
      `the dependencies changed while npm start runs in this checkout (process ${owner.pid})`,
      'Stop it with Ctrl-C, then start again.',
    );
}

/** `npm ci` would empty what others use, too. */
function refuseThroughLink(root) {
  const folder = join(root, 'node_modules');
  if (!lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  throw new BootstrapError(
    `node_modules is a link to ${readlinkSync(folder)}, which has not what package-lock.json wants`,
    'Install there with npm ci, or remove the link and start again.',
  );
}

function npmCi(root, { signal, env }) {
  const logs = join(root, '.dcmarket', 'logs');
  mkdirSync(logs, { recursive: true });
  const logFile = join(logs, 'npm-ci.log');
  const log = openSync(logFile, 'w');
  const npm = env.npm_execpath ? [process.execPath, env.npm_execpath] : ['npm'];
  const [command, ...first] = npm;
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...first, 'ci', '--no-audit', '--no-fund', '--loglevel=http'], {
      cwd: root,
      env,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    const stop = () => child.kill('SIGTERM');
    signal.addEventListener('abort', stop, { once: true });
    child.once('error', (error) =>
      reject(new BootstrapError(`npm cannot be started: ${error.message}`, 'Install npm.')),
    );
    child.once('close', (code) => {
      signal.removeEventListener('abort', stop);
      if (signal.aborted) return reject(signal.reason);
      if (code === 0) return resolve();
      const { why, next } = explainNpmFailure(readFileSync(logFile, 'utf8'));
      reject(new BootstrapError(why, `${next} npm's own words are in ${logFile}.`));
    });
  });
}

function showProgress(env) {
  const out = process.stdout;
  const terminal = terminalOf(out, env);
  const startedAt = performance.now();
  let what = '';
  let frame = 0;
  let drawn = false;
  const elapsed = () => performance.now() - startedAt;
  const draw = () => {
    if (elapsed() < SHOW_AFTER_MS) return;
    const line = runningLine(terminal, { title: TITLE, what, ms: elapsed(), frame: frame++ });
    out.write(terminal.symbols ? `\r${line}\u001b[K` : `${line}\n`);
    drawn = terminal.symbols;
  };
  const first = setTimeout(draw, SHOW_AFTER_MS + 50);
  const timer = setInterval(draw, terminal.symbols ? REDRAW_MS : REPEAT_MS);
  const clear = () => {
    clearTimeout(first);
    clearInterval(timer);
    if (drawn) out.write('\r\u001b[K');
  };
  return {
    report: (text) => {
      what = text;
    },
    clear,
    finish: (outcome) => {
      clear();
      out.write(`${finishedLine(terminal, { outcome, title: TITLE, ms: elapsed() })}\n`);
    },
  };
}
