/** A folder with kube-apiserver, etcd and kubectl: does it have all three, and do they run here. */
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Failure, messageOf } from '../failure.ts';
import { BINARIES, type Binary } from './versions.ts';

const run = promisify(execFile);
const RUN_MS = 20_000;
/** Each prints its version and exits. */
const VERSION_ARGS: Record<Binary, string[]> = {
  'kube-apiserver': ['--version'],
  etcd: ['--version'],
  kubectl: ['version', '--client'],
};

/** Those of the three that `folder` does not hold as programs. */
export function missingBinaries(folder: string): Binary[] {
  return BINARIES.filter((name) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return false;
    } catch {
      return true;
    }
  });
}

/** Runs all three and answers what kube-apiserver calls itself (`1.36.3`). Throws when one does not run here. */
export async function probeVersion(folder: string, signal: AbortSignal): Promise<string> {
  let version = '';
  for (const name of BINARIES) {
    try {
      const { stdout } = await run(join(folder, name), VERSION_ARGS[name], { timeout: RUN_MS, signal });
      if (name === 'kube-apiserver') version = /v(\d+\.\d+\.\d+\S*)/.exec(stdout)?.[1] ?? 'unknown';
    } catch (cause) {
      signal.throwIfAborted();
      throw new Failure(
        'ControlPlaneUnavailable',
        `${name} in ${folder} does not run here: ${messageOf(cause)}`,
        {
          cause,
        },
      );
    }
  }
  return version;
}
