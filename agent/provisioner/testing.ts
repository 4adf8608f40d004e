/** What the tests of provisioners share: a folder that goes away, programs written on the spot, tags. */
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { systemClock } from '../../lib/clock.ts';
import { createLogger, type Logger } from '../../lib/log.ts';
import type { CreateRequest, InstanceRef, Provisioner } from './provisioner.ts';
import { ScriptConfig, scriptProvisioner } from './script.ts';

export const CONTRACT = '4f0c1a2b3c4d5e6f708192a3b4c5d6e7';

export function aRef(overrides: Partial<InstanceRef> = {}): InstanceRef {
  const tags = { contractId: CONTRACT, epoch: 3, installation: 'inst-1', agentUid: 'agent-1' };
  return { ...tags, externalId: `dc-${CONTRACT}`, ...overrides };
}

export function aRequest(overrides: Partial<CreateRequest> = {}): CreateRequest {
  const { externalId: _, ...tags } = aRef();
  return {
    ...tags,
    offeringId: 'demo/hello',
    sshPublicKeys: ['ssh-ed25519 AAAA one'],
    instanceConfig: {},
    ...overrides,
  };
}

export type Scratch = Readonly<{
  dir: string;
  /** Writes an executable file and answers its path. */
  program: (name: string, text: string) => Promise<string>;
  remove: () => Promise<void>;
}>;

export async function scratch(): Promise<Scratch> {
  const dir = await mkdtemp(join(tmpdir(), 'dcmarket-'));
  return {
    dir,
    program: async (name, text) => {
      const path = join(dir, name);
      await writeFile(path, text);
      await chmod(path, 0o755);
      return path;
    },
    remove: () => rm(dir, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** Resolves once `isTrue` does; throws after five seconds. For what another process does in its own time. */
export async function eventually(isTrue: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** False for a process that has ended and only waits to be reaped, too. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch (error) {
    return (
      process.platform !== 'linux' && error instanceof Error && 'code' in error && error.code === 'ENOENT'
    );
  }
}

/** A script provisioner whose every action runs this shell text; the request is in the file `request`. */
export async function withShell(
  world: Scratch,
  shell: string,
  config: Partial<ScriptConfig> = {},
): Promise<Provisioner & { logged: () => string }> {
  const program = await world.program('program', `#!/bin/sh\ncat >"${world.dir}/request"\n${shell}\n`);
  const log = recordingLog();
  const provisioner = scriptProvisioner({
    config: ScriptConfig.parse({ provision: program, ...config }),
    installation: 'inst-1',
    environment: { PATH: process.env['PATH'], GREETING: 'hello' },
    clock: systemClock,
    log: log.log,
  });
  return { ...provisioner, logged: log.text };
}

export function recordingLog(): Readonly<{ log: Logger; text: () => string }> {
  let text = '';
  const destination = new Writable({
    write: (chunk, _encoding, done) => {
      text += String(chunk);
      done();
    },
  });
  return { log: createLogger({ name: 'test', level: 'trace', destination }), text: () => text };
}
