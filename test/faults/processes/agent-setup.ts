/** An agent joins as on a host of its own: `dc-agent setup` with a setup token, then a person edits the file. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { delegationPath } from '../../../agent/config/paths.ts';
import { readDelegation } from '../../../agent/setup/delegation.ts';
import { PROGRAM } from '../ledger/server.ts';
import { baseEnvironment, ROOT } from './programs.ts';

/** Machines are compared so often; the default of a minute would make a test long. */
const RECONCILE_SECONDS = 5;
const POLL_SECONDS = 10;
const SETUP_MS = 60_000;

type Joining = Readonly<{
  config: string;
  url: string;
  token: string;
  name: string;
  environment: Readonly<Record<string, string>>;
}>;

/** Answers which Agent it became. */
export async function joinAgent(joining: Joining): Promise<Readonly<{ uid: string; objectName: string }>> {
  const { config, url, token, name, environment } = joining;
  mkdirSync(dirname(config), { recursive: true, mode: 0o700 });
  const options = ['--token', token, '--api-url', url, '--config', config, '--label', name];
  await promisify(execFile)(
    process.execPath,
    [join(ROOT, 'agent/main.ts'), 'setup', ...options, '--provision', PROGRAM],
    { env: { ...baseEnvironment(), ...environment }, timeout: SETUP_MS },
  );
  const text = readFileSync(config, 'utf8')
    .replace(
      /^poll_interval_seconds = \d+$/m,
      `poll_interval_seconds = ${POLL_SECONDS}\nreconcile_interval_seconds = ${RECONCILE_SECONDS}`,
    )
    .replace(/^detect = true$/m, 'detect = false'); // machines of the ledger need nothing of this host
  writeFileSync(config, text, { mode: 0o600 });
  const delegation = readDelegation(delegationPath(config));
  if (!delegation?.agentName) throw new Error(`${name} did not join`);
  return { uid: delegation.agentUid, objectName: delegation.agentName };
}
