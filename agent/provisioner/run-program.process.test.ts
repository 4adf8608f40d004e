import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ScriptConfig } from './script.ts';
import {
  aRef,
  aRequest,
  eventually,
  isAlive,
  type Scratch,
  scratch,
  withShell as shellProvisioner,
} from './testing.ts';

const signal = new AbortController().signal;
let world: Scratch;
beforeEach(async () => {
  world = await scratch();
});
afterEach(() => world.remove());
const withShell = (shell: string, config?: Partial<ScriptConfig>) => shellProvisioner(world, shell, config);

describe('a program', () => {
  test('that fails is told with its exit code and its last words', async () => {
    const failing = (await withShell('echo "disk is full" >&2; exit 3')).observe(aRef(), { signal });
    await expect(failing).rejects.toMatchObject({
      code: 'ProgramFailed',
      message: /exit code 3 and said: disk is full/,
    });
  });

  test('that is missing is the fault of the configuration', async () => {
    const provisioner = await withShell('', { provision: join(world.dir, 'nowhere') });
    await expect(provisioner.list({ signal })).rejects.toMatchObject({
      code: 'ProgramNotStarted',
      class: 'configuration',
      message: /nowhere could not be started.*does not exist/,
    });
  });

  test('that takes too long is killed with its grandchildren', async () => {
    const shell = `sh -c 'sleep 60 & echo $! >"${world.dir}/pid"; wait' & echo waiting for the disk >&2; wait`;
    const provisioner = await withShell(shell, { timeout_seconds: 1 });
    await expect(provisioner.observe(aRef(), { signal })).rejects.toMatchObject({
      code: 'ProgramTimedOut',
      message: /killed after 1 s; its last words: waiting for the disk/,
    });
    const grandchild = Number(await readFile(join(world.dir, 'pid'), 'utf8'));
    await eventually(() => !isAlive(grandchild), 'the grandchild is gone');
  });

  test('is killed when the caller gives up, who gets its own reason back', async () => {
    const provisioner = await withShell(`echo $$ >"${world.dir}/pid"; sleep 60`);
    const controller = new AbortController();
    const running = provisioner.observe(aRef(), { signal: controller.signal });
    await eventually(() => existsSync(join(world.dir, 'pid')), 'the program runs');
    const reason = new Error('shutting down');
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
    const pid = Number(await readFile(join(world.dir, 'pid'), 'utf8'));
    await eventually(() => !isAlive(pid), 'the program is gone');
  });

  test('may leave a process that keeps its stdout open: that process lives on, the answer counts', async () => {
    const shell = `sleep 60 & echo $! >"${world.dir}/pid"; echo '{"success":true,"health":{"status":"unknown"}}'`;
    expect(await (await withShell(shell)).observe(aRef(), { signal })).toEqual({ status: 'Unknown' });
    const left = Number(await readFile(join(world.dir, 'pid'), 'utf8'));
    expect(isAlive(left)).toBe(true);
    process.kill(left, 'SIGKILL');
  });
});

describe('secrets', () => {
  test('of the instance config and in what the program says never reach log or error', async () => {
    const shell = 'cat "$0.said" >&2; cat "$0.said"; exit 1';
    const provisioner = await withShell(shell);
    await world.program('program.said', 'pw=tr0ub4dor {"root_password":"hunter22","x":1}');
    const instanceConfig = { cloud: { apiToken: 'tr0ub4dor' } };
    const error = await provisioner
      .create(aRequest({ instanceConfig }), { signal })
      .catch((thrown: unknown) => thrown);
    expect(`${String(error)} ${provisioner.logged()}`).toMatch(/redacted/);
    expect(`${String(error)} ${provisioner.logged()}`).not.toMatch(/tr0ub4dor|hunter22/);
  });
});
