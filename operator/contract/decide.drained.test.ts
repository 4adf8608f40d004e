import { describe, expect, test } from 'vitest';
import type { Agent } from '../../crds/agent.ts';
import { aContract, aHolder, anAgent, at, someTerms, uidOf } from '../../crds/contract/builders.ts';
import type { LiveContract } from '../../crds/contract/contract.ts';
import type { ContractStatus } from '../../crds/contract/status.ts';
import { anOutlook, cancel, gist, held, instance, someFacts } from './builders.ts';
import { decide } from './decide.ts';
import type { Facts } from './facts.ts';
import type { Hosts } from './hosts.ts';

const running = (change: Partial<ContractStatus> = {}, allowRecreation = true): LiveContract =>
  aContract(
    'Active',
    {
      ...held,
      instance,
      pool: 'europe-script',
      agent: 'agent-1',
      startsAt: at(0).toISOString(),
      endsAt: at(86_400).toISOString(),
      ...change,
    },
    { spec: { termsSnapshot: someTerms({ allowRecreation }) } },
  );
const drained = (spec: Partial<Agent['spec']> = {}): Agent =>
  anAgent(1, { cordoned: true, draining: true, drainBy: at(30).toISOString(), ...spec });
const onto = (change: Partial<Hosts>): Hosts => ({
  drained: drained(),
  elsewhere: anOutlook().why,
  deserted: [],
  ...change,
});
const FULL = anOutlook('NoCapacity').why;
const decideWith = (hosts: Partial<Hosts>, facts: Partial<Facts> = {}) =>
  decide(someFacts({ contract: running(), hosts: onto(hosts), ...facts }));
const conditionOf = (status: ContractStatus | undefined, type: string) =>
  status?.conditions?.find((it) => it.type === type);

describe('a drained agent', () => {
  test('loses at the deadline what may be built anew: a new epoch, the old machine its holder still', () => {
    const { status } = decideWith({});
    expect(status).toMatchObject({ phase: 'Accepted', reason: 'Moved', epoch: 2, holders: [aHolder(1, 1)] });
    expect(status?.instance).toBeUndefined();
    expect(status?.agent).toBeUndefined();
    expect(status?.nextAttemptAt).toBeUndefined();
    expect(status?.endsAt).toBe(at(86_400).toISOString());
  });

  test('keeps it until then, and the operator looks again at the deadline', () =>
    expect(gist(decideWith({ drained: drained({ drainBy: at(90).toISOString() }) }))).toMatchObject({
      phase: 'Active',
      epoch: 1,
      requeueAfterMs: 30_000,
    }));

  test('keeps it without a deadline, however long', () =>
    expect(gist(decideWith({ drained: drained({ drainBy: undefined }) }))).toMatchObject({
      phase: 'Active',
    }));

  test('keeps what has data that would be lost', () =>
    expect(gist(decideWith({}, { contract: running({}, false) }))).toMatchObject({
      phase: 'Active',
      epoch: 1,
    }));

  test('keeps it while nobody else could take it, says so once, and is asked again', () => {
    const first = decideWith({ elsewhere: FULL });
    expect(gist(first)).toMatchObject({ phase: 'Active', epoch: 1, requeueAfterMs: 30_000 });
    expect(conditionOf(first.status, 'Movable')).toMatchObject({ status: 'False', reason: 'NoOtherAgent' });
    const contract = running({ ...first.status });
    expect(decideWith({ elsewhere: FULL }, { contract }).status).toEqual(first.status);
    expect(gist(decideWith({}, { contract }))).toMatchObject({ phase: 'Accepted', epoch: 2 });
    const after = decideWith({ drained: undefined, elsewhere: undefined }, { contract }).status;
    expect(conditionOf(after, 'Movable')).toBeUndefined();
  });

  test('a wish to end it, and its end, go before a move', () => {
    const contract = { ...running(), spec: { ...running().spec, ...cancel.spec } };
    expect(gist(decideWith({}, { contract }))).toMatchObject({ phase: 'Terminating' });
    expect(gist(decideWith({}, { now: at(90_000) }))).toMatchObject({ phase: 'Terminating' });
  });

  test('nothing is moved before etcd was compared with PostgreSQL', () =>
    expect(gist(decideWith({}, { isWorldCertain: false }))).toMatchObject({ phase: 'Active', epoch: 1 }));

  test('a machine that ran for days is no debt at the moment it is moved', () => {
    const attempts = [
      {
        ...{ agent: 'agent-1', agentUID: uidOf(1), epoch: 1, outcome: 'Succeeded' as const },
        ...{ startedAt: at(-900_000).toISOString(), endedAt: at(-800_000).toISOString() },
      },
    ];
    const moved = decideWith({}, { contract: running({ attempts }) }).status;
    const next = decide(
      someFacts({ contract: { ...running(), status: moved as ContractStatus }, now: at(61) }),
    );
    expect(next.before).toEqual([]);
    expect(next.status?.holders).toEqual([aHolder(1, 1)]);
  });
});

describe('an agent that was revoked or deleted', () => {
  test('leaves the contract unattended, which says so until another has adopted the machine', () => {
    const left = decideWith({ drained: undefined, deserted: [uidOf(1)] }).status;
    expect(conditionOf(left, 'Attended')).toMatchObject({ status: 'False', reason: 'AgentRevoked' });
    expect(conditionOf(left, 'Attended')?.message).toContain('agent-1');
    const adopted = running({
      ...left,
      holders: [aHolder(2, 1)],
      instance: { ...instance, agentUID: uidOf(2) },
    });
    const after = decideWith({ drained: undefined, deserted: [] }, { contract: adopted }).status;
    expect(conditionOf(after, 'Attended')).toMatchObject({ status: 'True' });
  });

  test('a contract that always was attended does not speak of it', () =>
    expect(conditionOf(decideWith({ drained: undefined }).status, 'Attended')).toBeUndefined());
});
