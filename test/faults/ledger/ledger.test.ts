/** The hypervisor of the fault tests, asked as an agent that is a process asks it: by a program, over loopback. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CreateRequest, Provisioner } from '../../../agent/provisioner/provisioner.ts';
import { ScriptConfig, scriptProvisioner } from '../../../agent/provisioner/script.ts';
import { probeSsh } from '../../../agent/ssh-probe.ts';
import { systemClock } from '../../../lib/clock.ts';
import { createLogger } from '../../../lib/log.ts';
import type { Treat } from './behaviour.ts';
import { createLedger, type Ledger } from './ledger.ts';
import { type LedgerServer, PROGRAM, startLedgerServer } from './server.ts';
import { createSshDoors, type SshDoors } from './ssh-doors.ts';

const { signal } = new AbortController();
const TAGS = { contractId: 'c'.repeat(32), epoch: 1, installation: 'inst', agentUid: 'agent-1' };
const REQUEST: CreateRequest = { ...TAGS, offeringId: 'demo/hello', sshPublicKeys: [], instanceConfig: {} };
const REF = { ...TAGS, externalId: `dc-${TAGS.contractId}` };

let ledger: Ledger;
let doors: SshDoors;
let server: LedgerServer;
let treat: Treat;
let provisioner: Provisioner;

beforeEach(async () => {
  ledger = createLedger({ clock: systemClock });
  doors = createSshDoors(ledger);
  treat = () => undefined;
  server = await startLedgerServer({ ledger, doors, clock: systemClock, treat: (call) => treat(call) });
  provisioner = scriptProvisioner({
    config: ScriptConfig.parse({ provision: PROGRAM, timeout_seconds: 1 }),
    installation: TAGS.installation,
    environment: { PATH: process.env['PATH'], ...server.environment('host-1') },
    clock: systemClock,
    log: createLogger({ name: 'test', level: 'silent' }),
  });
});
afterEach(async () => {
  await server.close();
  await doors.close();
});

const events = (): string[] => ledger.records().map(({ event, epoch }) => `${event} ${epoch}`);

test('what an agent does to its machines stands in the ledger, and a machine answers SSH while it runs', async () => {
  const created = await provisioner.create(REQUEST, { signal });
  const probe = { host: '127.0.0.1', port: created.port, timeoutMs: 2000, signal };
  expect((await probeSsh(probe)).hostKeyFingerprint).toBe(created.hostKeyFingerprint);
  await provisioner.create(REQUEST, { signal }); // again: found as it was
  await provisioner.stop(REF, { signal });
  await expect(probeSsh(probe)).rejects.toMatchObject({ name: 'SshProbeError' });
  await provisioner.start(REF, { signal });
  expect(await provisioner.setPassword?.(REF, 'secret', { signal })).toEqual({ user: 'tenant' });
  await provisioner.adopt(REF, { epoch: 2, agentUid: 'agent-1' }, { signal });
  expect(await provisioner.list({ signal })).toMatchObject([{ ...REF, epoch: 2, state: 'Running' }]);
  await expect(provisioner.destroy(REF, { signal })).rejects.toMatchObject({ code: 'ForeignInstance' });
  expect(await provisioner.destroy({ ...REF, epoch: 2 }, { signal })).toBe('Absent');
  const all = [
    'create-begun 1',
    'created 1',
    'stopped 1',
    'started 1',
    'password-set 1',
    'adopted 2',
    'destroyed 2',
  ];
  expect(events()).toEqual(all);
  expect(JSON.stringify(ledger.records())).not.toContain('secret');
});

test("a stranger's machine is never listed", async () => {
  ledger.addStranger('host-1', 'theirs');
  expect(await provisioner.list({ signal })).toEqual([]);
  expect(ledger.machines()).toHaveLength(1);
});

describe('as the test says', () => {
  test('it fails with a class, and leaves half a machine or none', async () => {
    treat = () => ({ fail: { class: 'capacity', leaves: 'Half' } });
    await expect(provisioner.create(REQUEST, { signal })).rejects.toMatchObject({ class: 'capacity' });
    expect(ledger.machines()).toMatchObject([{ state: 'Creating' }]);
    treat = () => undefined;
    await provisioner.create(REQUEST, { signal });
    expect(events()).toEqual(['create-begun 1', 'failed 1', 'created 1']);
  });

  test('the program dies half-way, or when all was done', async () => {
    treat = () => ({ die: 'HalfWay' });
    await expect(provisioner.create(REQUEST, { signal })).rejects.toMatchObject({ code: 'ProgramFailed' });
    expect(ledger.machines()).toMatchObject([{ state: 'Creating' }]);
    treat = () => ({ die: 'Done' });
    await expect(provisioner.create(REQUEST, { signal })).rejects.toMatchObject({ code: 'ProgramFailed' });
    expect(ledger.machines()).toMatchObject([{ state: 'Running' }]);
  });

  test('it hangs until it is killed', async () => {
    treat = () => ({ hang: true });
    await expect(provisioner.create(REQUEST, { signal })).rejects.toMatchObject({ code: 'ProgramTimedOut' });
    expect(events()).toEqual(['create-begun 1']);
  });

  test('its list lies', async () => {
    await provisioner.create(REQUEST, { signal });
    treat = ({ action }) => (action === 'list' ? { lie: () => [] } : undefined);
    expect(await provisioner.list({ signal })).toEqual([]);
    treat = ({ action }) => (action === 'list' ? { fail: { class: 'transient' } } : undefined);
    await expect(provisioner.list({ signal })).rejects.toMatchObject({ code: 'ProgramRefused' });
  });
});
