import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FakeClock, fakeClock } from '../../lib/fake-clock.ts';
import { manualProvisioner } from './manual.ts';
import { fileReport, ManualReport } from './manual-tasks.ts';
import type { Provisioner } from './provisioner.ts';
import { aRef, aRequest, CONTRACT, recordingLog, type Scratch, scratch } from './testing.ts';

const never = new AbortController().signal;
const DONE: ManualReport = {
  outcome: 'Done',
  externalId: 'rack-7',
  host: '192.0.2.7',
  port: 22,
  isConfirmed: true,
};
const machine = aRef({ externalId: 'rack-7' });

let world: Scratch;
let clock: FakeClock;
let provisioner: Provisioner;
let logged: () => string;
beforeEach(async () => {
  world = await scratch();
  restart();
});
afterEach(() => world.remove());

/** A new process on the same state folder. */
function restart(): void {
  clock = fakeClock();
  const { log, text } = recordingLog();
  logged = text;
  provisioner = manualProvisioner({ stateDir: world.dir, installation: 'inst-1', clock, log });
}
const create = () =>
  provisioner.create(aRequest({ instanceConfig: { apiToken: 'tr0ub4dor' } }), { signal: never });
const report = (said: ManualReport) => fileReport(world.dir, CONTRACT, said);
const listed = async () =>
  (await provisioner.list({ signal: never })).map(({ externalId, epoch, state }) => [
    externalId,
    epoch,
    state,
  ]);
async function createDone(): Promise<void> {
  const creating = create();
  report(DONE);
  await clock.advance(1000);
  await creating;
}

describe('create', () => {
  test('tells a person what to do and waits for the report', async () => {
    const creating = create();
    expect(logged()).toMatch(/a person has to build a machine/);
    expect(logged()).toContain(`dc-agent manual done ${CONTRACT}`);
    expect(logged()).not.toContain('tr0ub4dor');
    await clock.advance(3_600_000);
    report(DONE);
    await clock.advance(1000);
    const { outcome: _, ...said } = DONE;
    expect(await creating).toEqual({ ...said, user: undefined, addresses: ['192.0.2.7'], details: {} });
  });
  test('goes on waiting after a restart, and does not ask for a second machine', async () => {
    void create().catch(() => undefined);
    expect(await listed()).toEqual([[`dc-${CONTRACT}`, 3, 'Unknown']]);
    restart();
    await createDone();
    expect(await create()).toMatchObject({ externalId: 'rack-7' });
    expect(await listed()).toEqual([['rack-7', 3, 'Running']]);
  });
  test('fails as the person says, and forgets the task', async () => {
    const failing = create().catch((error: unknown) => error);
    report({ outcome: 'Failed', message: 'no rack free', class: 'capacity' });
    await clock.advance(1000);
    expect(await failing).toMatchObject({ message: 'no rack free', class: 'capacity' });
    expect(await listed()).toEqual([]);
    expect(() => report(DONE)).toThrow(/no task of contract/);
  });
  test('is not answered by a report about an earlier attempt', async () => {
    const first = create().catch(() => 'failed');
    report({ outcome: 'Failed', message: 'no rack free' });
    const late = join(world.dir, 'manual', CONTRACT, 'report.json');
    await clock.advance(1000);
    expect(await first).toBe('failed');
    const second = create();
    writeFileSync(late, JSON.stringify({ task: crypto.randomUUID(), report: DONE }));
    await clock.advance(5000);
    expect(await listed()).toEqual([[`dc-${CONTRACT}`, 3, 'Unknown']]);
    report(DONE);
    await clock.advance(1000);
    expect(await second).toMatchObject({ externalId: 'rack-7' });
  });
  test('ends with its caller’s reason; the task stays, for there may be a machine', async () => {
    const controller = new AbortController();
    const creating = provisioner.create(aRequest(), { signal: controller.signal });
    const reason = new Error('the lock ran out');
    controller.abort(reason);
    await expect(creating).rejects.toBe(reason);
    expect(await listed()).toEqual([[`dc-${CONTRACT}`, 3, 'Unknown']]);
  });
  test('refuses a contract whose machine has another epoch', async () => {
    await createDone();
    await expect(provisioner.create(aRequest({ epoch: 4 }), { signal: never })).rejects.toMatchObject({
      code: 'ForeignInstance',
    });
  });
});

describe('destroy', () => {
  test('waits until a person says that it is gone, also across a restart', async () => {
    await createDone();
    void provisioner.destroy(machine, { signal: never }).catch(() => undefined);
    await clock.advance(3_600_000);
    expect(await listed()).toEqual([['rack-7', 3, 'Running']]);
    restart();
    const destroying = provisioner.destroy(machine, { signal: never });
    expect(logged()).toContain(`dc-agent manual gone ${CONTRACT}`);
    report({ outcome: 'Gone' });
    await clock.advance(1000);
    expect(await destroying).toBe('Absent');
    expect(await listed()).toEqual([]);
    expect(await provisioner.destroy(machine, { signal: never })).toBe('Absent');
  });
  test('asks also about what nobody has reported yet', async () => {
    void create().catch(() => undefined);
    const destroying = provisioner.destroy(aRef(), { signal: never });
    expect(() => report(DONE)).toThrow(/is to be removed, not built/);
    report({ outcome: 'Gone' });
    await clock.advance(1000);
    expect(await destroying).toBe('Absent');
  });
  for (const tags of [{ epoch: 4 }, { agentUid: 'agent-2' }, { installation: 'inst-2' }])
    test(`refuses a machine with other tags: ${JSON.stringify(tags)}`, async () => {
      await createDone();
      const failing = provisioner.destroy({ ...machine, ...tags }, { signal: never });
      await expect(failing).rejects.toMatchObject({ code: 'ForeignInstance' });
    });
});

test('a machine that a person says is gone is not listed any more', async () => {
  await createDone();
  report({ outcome: 'Gone' });
  expect(await listed()).toEqual([]);
  expect(await provisioner.destroy(machine, { signal: never })).toBe('Absent');
});

test('adopt re-tags what was begun or built, once and again', async () => {
  await createDone();
  for (let times = 0; times < 2; times++)
    expect(
      await provisioner.adopt(machine, { epoch: 5, agentUid: 'agent-1' }, { signal: never }),
    ).toMatchObject({
      externalId: 'rack-7',
    });
  expect(await listed()).toEqual([['rack-7', 5, 'Running']]);
});

test('a listing that cannot read everything fails', async () => {
  await createDone();
  writeFileSync(join(world.dir, 'manual', CONTRACT, 'task.json'), '{"id":');
  await expect(provisioner.list({ signal: never })).rejects.toMatchObject({ code: 'StateUnreadable' });
});

test('what is kept can be read by its owner only', async () => {
  await createDone();
  for (const name of ['task.json', 'report.json'])
    expect(statSync(join(world.dir, 'manual', CONTRACT, name)).mode & 0o077).toBe(0);
});

describe('a report', () => {
  test('of an unknown contract says which ones wait', async () => {
    void create().catch(() => undefined);
    expect(() => fileReport(world.dir, 'f'.repeat(32), DONE)).toThrow(
      expect.objectContaining({ code: 'UnknownTask', remedy: `Waiting here: ${CONTRACT} (Build).` }),
    );
    expect(() => fileReport(world.dir, '../../etc', DONE)).toThrow(
      expect.objectContaining({ code: 'UnknownTask' }),
    );
  });
  for (const [name, wrong] of Object.entries({ port: 0, host: 'no such host', externalId: 'a b' }))
    test(`with ${name} ${JSON.stringify(wrong)} is refused`, () => {
      expect(ManualReport.safeParse({ ...DONE, [name]: wrong }).error?.issues[0]?.path).toEqual([name]);
    });
});
