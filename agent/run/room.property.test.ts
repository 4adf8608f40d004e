/** Never over the sum, in whatever order contracts are offered, granted, built, failed, removed, listed late, or the agent dies. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Amounts, DIMENSIONS, NOTHING, plus } from '../../crds/placement/amounts.ts';
import { presentPromised } from '../../crds/placement/capacity.ts';
import { fakeClock } from '../../lib/fake-clock.ts';
import {
  accept,
  begin,
  beginReport,
  type ContractRecord,
  confirmAbsent,
  emptyRecord,
  fail,
  order,
  settle,
  settleFailure,
} from '../state/record.ts';
import { isUnfinished, mayStand, sizeOf } from '../state/size.ts';
import { aMachine, aPending } from '../testing/builders.ts';
import { createRoom, type Room } from './room.ts';

const CONTRACTS = 8;
const MIB = 2 ** 20;
const TOTAL: Amounts = {
  cpuMilli: 8000,
  memoryBytes: 64 * MIB,
  storageBytes: 64 * MIB,
  gpus: 2,
  instances: 5,
};

const sizes = fc.record({ cpu: fc.nat(6), memory: fc.nat(30), storage: fc.nat(30), gpus: fc.nat(1) }).map(
  ({ cpu, memory, storage, gpus }): Amounts => ({
    cpuMilli: cpu * 500,
    ...{ memoryBytes: memory * MIB, storageBytes: storage * MIB, gpus, instances: 1 },
  }),
);

/** The host, the disk and what a process knows: all that a job does with them, a step at a time. */
class Agent {
  readonly clock = fakeClock();
  readonly disk = new Map<string, ContractRecord>();
  readonly host = new Map<string, Amounts>();
  readonly claiming = new Map<string, Amounts>();
  readonly looked = new Set<string>();
  late: { machines: readonly string[]; beganMs: number } | undefined;
  room: Room = this.start();
  readonly wanted: readonly Amounts[];

  constructor(wanted: readonly Amounts[]) {
    this.wanted = wanted;
  }

  /** Also after SIGKILL: the host and the disk are as they were. */
  start(): Room {
    this.claiming.clear();
    this.looked.clear();
    this.late = undefined;
    const ids = (is: (record: ContractRecord) => boolean): string[] =>
      [...this.disk.values()].filter(is).map(({ contractId }) => contractId);
    this.room = createRoom({
      clock: this.clock,
      maxInstances: undefined,
      unfinished: () => [...this.claiming.keys(), ...ids(isUnfinished)],
      remembered: () => ids(mayStand),
      sizeOf: (id) => this.claiming.get(id) ?? sizeOf(this.recordOf(id)),
    });
    this.room.notePromised(presentPromised(TOTAL));
    return this.room;
  }

  recordOf = (id: string): ContractRecord => this.disk.get(id) ?? emptyRecord(id);
  write(id: string, change: (record: ContractRecord) => ContractRecord): void {
    this.disk.set(id, change(this.recordOf(id)));
  }
  machines = (ids: readonly string[]) =>
    ids.map((id) => aMachine(1, { contractId: id, externalId: `dc-${id}` }));
  /** What is still being made is not listed. */
  shown = (): string[] => [...this.host.keys()].filter((id) => !this.recordOf(id).grant);
  list(): void {
    this.room.noteListing(this.machines(this.shown()), this.clock.monotonicMs());
  }
}

type Step = (agent: Agent, n: number) => void;
const idOf = (n: number): string => `c${n}`;
const sizeAt = ({ wanted }: Agent, n: number): Amounts => wanted[n] ?? NOTHING;

const STEPS: Readonly<Record<string, Step>> = {
  offer: (agent, n) => {
    const [id, wanted] = [idOf(n), sizeAt(agent, n)];
    if (!isUnfinished(agent.recordOf(id)) && agent.room.has(id, wanted)) agent.claiming.set(id, wanted);
  },
  refuse: (agent, n) => {
    if (!agent.recordOf(idOf(n)).grant) agent.claiming.delete(idOf(n));
  },
  grant: (agent, n) => {
    const record = agent.recordOf(idOf(n));
    if (!agent.claiming.has(idOf(n)) || record.grant) return;
    const contract = { ...aPending(idOf(n), 0), wanted: sizeAt(agent, n) };
    const grant = { epoch: Math.max(record.givenUp, record.begun) + 1, acceptedAt: '', contract };
    agent.write(idOf(n), (it) => accept(it, grant) ?? it);
  },
  /** A job looks before it builds, and much may happen in between. */
  look: (agent, n) => {
    if (!agent.recordOf(idOf(n)).grant) return;
    agent.list();
    agent.looked.add(idOf(n));
  },
  create: (agent, n) => {
    const id = idOf(n);
    const { grant } = agent.recordOf(id);
    if (!grant || !agent.looked.delete(id) || agent.host.has(id)) return;
    if (agent.room.has(id, sizeAt(agent, n))) {
      agent.write(id, begin);
      agent.host.set(id, sizeAt(agent, n));
    } else {
      agent.write(id, (it) => confirmAbsent(it, { epoch: grant.epoch, as: 'NoRoom' }));
      agent.claiming.delete(id);
    }
  },
  built: (agent, n) => {
    if (agent.recordOf(idOf(n)).grant && agent.host.has(idOf(n)))
      for (const machine of agent.machines([idOf(n)])) agent.room.noteBuilt(machine);
  },
  report: (agent, n) => {
    const record = agent.recordOf(idOf(n));
    if (!record.grant || !agent.host.has(idOf(n))) return;
    STEPS['built']?.(agent, n);
    agent.write(idOf(n), (it) => settle(beginReport(it)));
    agent.claiming.delete(idOf(n));
  },
  /** Half of it stays. */
  fail: (agent, n) => {
    const { grant } = agent.recordOf(idOf(n));
    if (!grant) return;
    if (agent.host.has(idOf(n))) agent.room.noteBrokenOff(idOf(n));
    agent.write(idOf(n), (it) => fail(it, { epoch: grant.epoch, class: 'transient', message: 'm' }));
  },
  heard: (agent, n) => {
    agent.write(idOf(n), (it) => settleFailure(it, 'Continue'));
    if (!agent.recordOf(idOf(n)).grant) agent.claiming.delete(idOf(n));
  },
  order: (agent, n) => agent.write(idOf(n), (it) => (it.begun < 0 ? it : order(it, it.begun))),
  remove: (agent, n) => {
    const epoch = agent.recordOf(idOf(n)).doomed[0];
    if (epoch === undefined || agent.recordOf(idOf(n)).grant) return;
    agent.host.delete(idOf(n));
    agent.list();
    agent.write(idOf(n), (it) => confirmAbsent(it, { epoch, as: 'Terminated' }));
    agent.claiming.delete(idOf(n));
  },
  /** As it mostly goes. */
  build: (agent, n) => {
    for (const name of ['offer', 'grant', 'look', 'create', 'report']) STEPS[name]?.(agent, n);
  },
  listingBegins: (agent) => {
    agent.late ??= { machines: agent.shown(), beganMs: agent.clock.monotonicMs() };
  },
  listingEnds: (agent) => {
    if (agent.late) agent.room.noteListing(agent.machines(agent.late.machines), agent.late.beganMs);
    agent.late = undefined;
  },
  dies: (agent) => void agent.start(),
};

const anyStep = fc.tuple(
  fc.constantFrom(...Object.keys(STEPS), 'build', 'build', 'build'),
  fc.nat(CONTRACTS - 1),
);

test('what stands and what is being built is never more than was promised for', async () => {
  let [built, most] = [0, 0];
  await fc.assert(
    fc.asyncProperty(
      fc.array(sizes, { minLength: CONTRACTS, maxLength: CONTRACTS }),
      fc.array(anyStep, {
        maxLength: 120,
        size: 'max',
      }),
      async (wanted, steps) => {
        const agent = new Agent(wanted);
        for (const [name, n] of steps) {
          await agent.clock.advance(1);
          STEPS[name]?.(agent, n);
          const used = [...agent.host.values()].reduce(plus, NOTHING);
          for (const dimension of DIMENSIONS)
            expect(used[dimension], `${dimension} after ${name}`).toBeLessThanOrEqual(TOTAL[dimension]);
          most = Math.max(most, agent.host.size);
          if (name === 'build' && agent.host.has(idOf(n))) built++;
        }
      },
    ),
    { numRuns: 300 },
  );
  // It was tried: hosts were filled to the brim, and much was built.
  expect(most).toBe(TOTAL.instances);
  expect(built).toBeGreaterThan(100);
});
