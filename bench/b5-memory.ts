/**
 * B5: memory with 10k contracts. Facade and operator are started on an empty cluster and then on the full one; what
 * counts is the difference: the heap after a collection of garbage, and the peak of the resident set, which the
 * first list makes. Beside them a process that only lists and keeps the same objects.
 */

import type { ManagedProcess } from '../dev/processes/managed-process.ts';
import { freePort } from '../dev/processes/ports.ts';
import { systemClock } from '../lib/clock.ts';
import { eventually } from '../test/world/eventually.ts';
import { startBareList } from './baselines/bare-list-process.ts';
import { fill, openEmptyHouse } from './crowd.ts';
import type { Benchmark, House } from './house.ts';
import { median } from './measure.ts';
import { createHeapProbe, type Memory } from './process-memory.ts';
import type { Row } from './report.ts';

const CONTRACTS = 10_000;
const HEAP_MAX = 50;
const PEAK_MAX = 150;
/** From its readiness: reconciles of the first list, JIT, first collections. */
const SETTLE_MS = 5000;
const MIB = 1024 ** 2;

const SUBJECTS = ['facade', 'operator', 'bareList'] as const;
type Subject = (typeof SUBJECTS)[number];

export const memoryBench: Benchmark = {
  name: 'B5',
  run: async (house, { quick }) => {
    const [count, rounds] = quick ? [2000, 2] : [CONTRACTS, 5];
    const crowded = await openEmptyHouse(house);
    const idle = await measure(crowded, { rounds: Math.min(rounds, 3), objects: 0 });
    await fill(crowded, count);
    const full = await measure(crowded, { rounds, objects: count });
    house.crowds.set(count, crowded);
    return SUBJECTS.flatMap((subject) =>
      (['heap', 'peak'] as const).map((kind) => {
        const row = { count, rounds, idle: idle[subject], full: full[subject] };
        return rowOf(subject, { kind, ...row });
      }),
    );
  },
};

type Measured = Readonly<Record<Subject, readonly Memory[]>>;

async function measure(
  house: House,
  { rounds, objects }: { rounds: number; objects: number },
): Promise<Measured> {
  const found: Record<Subject, Memory[]> = { facade: [], operator: [], bareList: [] };
  for (let round = 0; round < rounds; round++)
    for (const subject of SUBJECTS) found[subject].push(await memoryOf(house, { subject, objects }));
  return found;
}

async function memoryOf(
  house: House,
  { subject, objects }: { subject: Subject; objects: number },
): Promise<Memory> {
  const probe = createHeapProbe();
  try {
    const child = await STARTS[subject](house, { env: probe.env, objects });
    await systemClock.sleep(SETTLE_MS);
    const memory = await probe.read(child);
    await child.stop();
    return memory;
  } finally {
    probe.close();
  }
}

type Start = (
  house: House,
  options: Readonly<{ env: Readonly<Record<string, string>>; objects: number }>,
) => Promise<ManagedProcess>;

/** Each resolves when everything is in memory. */
const STARTS: Readonly<Record<Subject, Start>> = {
  facade: async (house, { env }) => {
    const port = await freePort();
    return untilReady(await house.startFacade({ ...env, PORT: String(port) }), port);
  },
  operator: async (house, { env }) => {
    const port = await freePort();
    return untilReady(await house.startOperator({ ...env, METRICS_PORT: String(port) }), port);
  },
  bareList: async (house, { env, objects }) => {
    const { child, listed } = await startBareList(house, env);
    const found = await listed();
    if (found.objects !== objects) throw new Error(`${found.objects} of ${objects} were listed`);
    return child;
  },
};

async function untilReady(child: ManagedProcess, port: number): Promise<ManagedProcess> {
  const look = async (): Promise<void> => {
    const { ok } = await fetch(`http://127.0.0.1:${port}/readyz`);
    if (!ok) throw new Error(`${child.name} is not ready; see ${child.logFile}`);
  };
  await eventually(look, { withinMs: 180_000 });
  return child;
}

type Facts = Readonly<{
  kind: 'heap' | 'peak';
  count: number;
  rounds: number;
  idle: readonly Memory[];
  full: readonly Memory[];
}>;

function rowOf(subject: Subject, { kind, count, rounds, idle, full }: Facts): Row {
  const mib = (all: readonly Memory[]): number => median(all.map((memory) => memory[kind])) / MIB;
  const above = mib(full) - mib(idle);
  const max = kind === 'heap' ? HEAP_MAX : PEAK_MAX;
  const what = kind === 'heap' ? 'heap after a collection' : 'peak of the resident set';
  const name = subject === 'bareList' ? 'a process that only lists and keeps them' : `the ${subject}`;
  const goal = subject === 'bareList' ? 'none' : `≤ ${max} MiB above`;
  return {
    name: 'B5',
    what: `${name}, ${count} contracts, ${rounds} starts: ${what}`,
    figure: `${mib(full).toFixed(0)} MiB`,
    baseline: `empty cluster: ${mib(idle).toFixed(0)} MiB, so ${above.toFixed(0)} MiB above`,
    goal,
    ...(subject === 'bareList' ? {} : { reached: above <= max }),
  };
}
