/**
 * `npm run bench [names] [--quick]`: starts the house once, measures, prints each row when it is known and the
 * whole table at the end. A goal that is missed is printed, not failed; a race with two winners is a failure.
 */
import { systemClock } from '../lib/clock.ts';
import { claimBench } from './b1-claim.ts';
import { raceBench } from './b2-race.ts';
import { createToLockedBench } from './b3-create-to-locked.ts';
import { pollBench } from './b4-poll.ts';
import { memoryBench } from './b5-memory.ts';
import { restartBench } from './b6-restart.ts';
import { signatureBench } from './b7-signatures.ts';
import { takeoverBench } from './b8-takeover.ts';
import { writeBudgetBench } from './b9-write-budget.ts';
import { placeBench } from './b10-place.ts';
import { onlineBench } from './b11-online.ts';
import { type Benchmark, openHouse, type PureBenchmark } from './house.ts';
import { describeCpuSince, describeHost, describeMachine, readCpuTicks } from './machine.ts';
import { type Row, tableOf } from './report.ts';

/** Those with an operator come first: what the others leave behind would keep it busy. */
const BENCHMARKS = [
  createToLockedBench,
  writeBudgetBench,
  takeoverBench,
  signatureBench,
  raceBench,
  claimBench,
  onlineBench,
  pollBench, // these three in a house of their own
  memoryBench,
  restartBench,
];

/** Before any server is there that could disturb them. */
const PURE: readonly PureBenchmark[] = [placeBench];

async function main(args: readonly string[], signal: AbortSignal): Promise<void> {
  const quick = args.includes('--quick');
  const names = args.filter((arg) => arg !== '--quick').map((name) => name.toUpperCase());
  const all = [...PURE, ...BENCHMARKS];
  const unknown = names.filter((name) => !all.some((one) => one.name === name));
  if (unknown.length > 0)
    throw new Error(`There is no benchmark ${unknown.join(', ')}; there are ${all.map(({ name }) => name)}.`);
  const isChosen = ({ name }: { name: string }): boolean => names.length === 0 || names.includes(name);
  const rows: Row[] = [];
  const notes: string[] = [];
  const measure = async (name: string, run: () => Promise<readonly Row[]>): Promise<void> => {
    const before = readCpuTicks();
    const startedMs = systemClock.monotonicMs();
    const found = await Promise.race([run(), rejected(signal)]);
    const seconds = Math.round((systemClock.monotonicMs() - startedMs) / 1000);
    const note = `${name}: ${seconds} s, ${describeCpuSince(before)}`;
    rows.push(...found);
    notes.push(note);
    console.log(`${tableOf(found).split('\n').slice(2).join('\n')}\n${note}`);
  };
  for (const { name, run } of PURE.filter(isChosen)) await measure(name, () => run({ quick }));
  const chosen = BENCHMARKS.filter(isChosen);
  const machine = chosen.length === 0 ? describeHost() : await inHouse(chosen, { quick, signal, measure });
  rows.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  const when = systemClock.now().toISOString().slice(0, 10);
  console.log(`\n${when}${quick ? ', quick' : ''}: ${machine}\n\n${tableOf(rows)}\n\n${notes.join('\n')}`);
}

type Measuring = Readonly<{
  quick: boolean;
  signal: AbortSignal;
  measure: (name: string, run: () => Promise<readonly Row[]>) => Promise<void>;
}>;

/** Opens the house for those that need it; answers on what they were measured. */
async function inHouse(chosen: readonly Benchmark[], { quick, signal, measure }: Measuring): Promise<string> {
  console.log('starting kube-apiserver, etcd (fsync), PostgreSQL (fsync) and a facade');
  const house = await openHouse(signal);
  try {
    const machine = await describeMachine(house);
    console.log(machine);
    for (const { name, run } of chosen) await measure(name, () => run(house, { quick }));
    return machine;
  } finally {
    await house.close();
  }
}

const rejected = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

const stopping = new AbortController();
// The terminal and the program that started us both send one; whatever they send, everything is stopped in order.
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.on(name, () => stopping.abort(new Error(`stopped by ${name}`)));
main(process.argv.slice(2), stopping.signal).then(
  () => process.exit(),
  (error: unknown) => {
    const isAsked = stopping.signal.aborted && error === stopping.signal.reason;
    const text = error instanceof Error ? (isAsked ? error.message : error.stack) : String(error);
    process.stderr.write(`bench: ${text}\n`);
    process.exit(1);
  },
);
