/** On what it was measured: versions, cores, how busy the machine was with others, and CPU time stolen by its host. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Pool } from 'pg';
import type { KubeClient } from '../kube/client.ts';

/** Ticks since the machine started, of all its cores; undefined where there is no /proc. */
type CpuTicks = Readonly<{ total: number; idle: number; steal: number }>;

export function readCpuTicks(): CpuTicks | undefined {
  try {
    const [, ...fields] = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').split(/\s+/);
    const ticks = fields.map(Number);
    const total = ticks.slice(0, 8).reduce((sum, each) => sum + each, 0); // guest time is in user time already
    return { total, idle: (ticks[3] ?? 0) + (ticks[4] ?? 0), steal: ticks[7] ?? 0 };
  } catch {
    return undefined;
  }
}

const TICK_MS = 10; // USER_HZ is 100 on every Linux that we meet

/** CPU time that a process has had, in milliseconds; NaN where there is no /proc. */
export function cpuMsOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return Number.NaN;
  }
}

/** What was stolen and what was idle between then and now, in words. */
export function describeCpuSince(then: CpuTicks | undefined): string {
  const now = readCpuTicks();
  if (!then || !now) return 'CPU steal unknown (no /proc/stat)';
  const share = (key: 'idle' | 'steal'): string =>
    `${((100 * (now[key] - then[key])) / Math.max(1, now.total - then.total)).toFixed(1)} %`;
  return `CPU steal ${share('steal')}, idle ${share('idle')}, load ${loadavg()[0]?.toFixed(1)}`;
}

type Servers = Readonly<{ client: KubeClient; postgres: Pool; controlPlaneFolder: string }>;

export const describeHost = (): string =>
  `${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), Node ${process.versions.node}`;

export async function describeMachine(servers: Servers): Promise<string> {
  const { body } = await servers.client.raw({ method: 'GET', path: '/version' });
  const { gitVersion } = body as { gitVersion?: string }; // the API server's own document
  const etcd = await promisify(execFile)(join(servers.controlPlaneFolder, 'etcd'), ['--version']);
  const settings = await servers.postgres.query<{ version: string; fsync: string; commit: string }>(
    `SELECT current_setting('server_version') AS version, current_setting('fsync') AS fsync,
            current_setting('synchronous_commit') AS commit`,
  );
  const [postgres] = settings.rows;
  return [
    describeHost(),
    `kube-apiserver ${gitVersion ?? 'unknown'}`,
    `${etcd.stdout.split('\n')[0] ?? 'etcd'} with fsync`,
    `PostgreSQL ${postgres?.version} fsync=${postgres?.fsync} synchronous_commit=${postgres?.commit}`,
  ].join(', ');
}
