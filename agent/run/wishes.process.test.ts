/** What a tenant wishes of its machine, by a whole agent: each wish once, also across crashes and lost answers. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openCredentials } from '../../crds/contract/credentials.ts';
import { sshKeysSHA256 } from '../../crds/contract/ssh-keys.ts';
import { generateKeyPair } from '../../lib/signature/keys.ts';
import { made, UID, until, untilPhase, useAgentWorld, world } from '../testing/use-agent-world.ts';

useAgentWorld();

const active = async (): Promise<string> => {
  const id = world.facade.rent(UID);
  await untilPhase(id, 'Provisioned');
  world.facade.activate(id);
  return id;
};
const untilApplied = (id: string, applied: object): Promise<void> =>
  until(() => expect(world.facade.statusOf(id).applied).toMatchObject(applied));
const onDisk = (): string =>
  readdirSync(world.stateDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join();
const TENANT = generateKeyPair();
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB other';
const OTHER = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC third';

test('power off, and on again', async () => {
  world.start();
  const id = await active();
  world.facade.wish(id, { powerState: 'Stopped' });
  await untilApplied(id, { powerState: 'Stopped' });
  world.facade.wish(id, { powerState: 'Running' });
  await untilApplied(id, { powerState: 'Running' });
  expect(made()).toEqual(['create 1', 'stop 1', 'start 1']);
});

test('a machine that its tenant switched off is not started again because it is kept', async () => {
  world.start({ reconcileMs: 2000 });
  const id = await active();
  world.facade.wish(id, { powerState: 'Stopped' });
  await untilApplied(id, { powerState: 'Stopped' });
  await world.clock.sleep(10_000);
  expect(made()).toEqual(['create 1', 'stop 1']);
});

test('a restart whose answer was lost is one restart', async () => {
  world.start();
  const id = await active();
  world.facade.faults.set('PUT applied', ['LoseReply', 'Refuse']);
  world.facade.wish(id, { restart: 1 });
  await untilApplied(id, { restart: 1 });
  world.facade.wish(id, { restart: 2 });
  await untilApplied(id, { restart: 2 });
  expect(made()).toEqual(['create 1', 'stop 1', 'start 1', 'stop 1', 'start 1']);
});

test('an agent that is killed between stop and start only starts it', async () => {
  const agent = world.start();
  const id = await active();
  world.hypervisor.stopMs = 30_000;
  world.facade.wish(id, { restart: 1 });
  await until(() => expect(made()).toContain('stop 1'));
  agent.kill();
  world.start();
  await untilApplied(id, { restart: 1 });
  expect(made().filter((deed) => deed === 'stop 1')).toHaveLength(1);
  expect(made().at(-1)).toBe('start 1');
});

test('a re-installation ends with another host key in the contract; asked again after a lost answer it is only told', async () => {
  world.start();
  const id = await active();
  const before = world.facade.statusOf(id).access;
  world.facade.faults.set('PUT applied', ['Refuse', 'Refuse']);
  world.facade.wish(id, { reinstall: 1 });
  await untilApplied(id, { reinstall: 1 });
  expect(made()).toEqual(['create 1', 'stop 1', 'reinstall 1', 'start 1']);
  expect(world.facade.statusOf(id).access).toMatchObject({
    host: before?.host,
    verifiedAt: expect.any(String),
  });
});

test('a re-installation whose SSH does not answer at first wipes the machine once', async () => {
  world.start({ sshTimeoutMs: 2000 });
  const id = await active();
  world.ssh.isUp = false;
  world.facade.wish(id, { reinstall: 1 });
  await untilApplied(id, { failed: [{ wish: 'Reinstall', mark: '1', isFinal: false }] });
  world.ssh.isUp = true;
  await untilApplied(id, { reinstall: 1 });
  expect(made().filter((deed) => deed === 'reinstall 1')).toHaveLength(1);
});

test('other keys are set, and said by their hash', async () => {
  world.start();
  const id = await active();
  world.facade.wish(id, { sshPublicKeys: [KEY] });
  await untilApplied(id, { sshKeysSHA256: sshKeysSHA256([KEY]) });
  expect(made().at(-1)).toBe(`keys ${KEY}`);
});

test('keys are set once, however often the order comes again, and anew on a fresh system', async () => {
  const agent = world.start();
  const id = await active();
  world.facade.faults.set('PUT applied', ['Refuse', 'LoseReply']);
  world.facade.wish(id, { sshPublicKeys: [KEY] });
  await until(() => expect(world.facade.faults.get('PUT applied')).toEqual(['LoseReply']));
  agent.kill();
  world.start();
  await untilApplied(id, { sshKeysSHA256: sshKeysSHA256([KEY]) });
  const times = (): number => made().filter((deed) => deed === `keys ${KEY}`).length;
  expect(times()).toBe(1);
  world.facade.wish(id, { reinstall: 1, sshPublicKeys: [KEY, OTHER] });
  await untilApplied(id, { reinstall: 1, sshKeysSHA256: sshKeysSHA256([KEY, OTHER]) });
  world.facade.wish(id, { reinstall: 1, sshPublicKeys: [KEY] });
  await untilApplied(id, { sshKeysSHA256: sshKeysSHA256([KEY]) });
  expect(times()).toBe(2);
});

test('a new password is set once and told sealed: neither the facade nor the log nor the disk ever has it', async () => {
  const agent = world.start();
  const id = await active();
  world.facade.faults.set('PUT applied', ['Refuse', 'LoseReply']);
  world.facade.wish(id, { tenant: { publicKey: TENANT.publicKey }, passwordReset: 1 });
  await until(() => expect(world.facade.faults.get('PUT applied')).toEqual(['LoseReply']));
  agent.kill();
  world.start();
  await untilApplied(id, { passwordReset: 1 });
  const { credentials } = world.facade.statusOf(id);
  const opened = openCredentials(TENANT.seed, credentials?.sealed ?? '', { contractId: id, count: 1 });
  expect(opened).toEqual({ user: 'root', password: world.hypervisor.password });
  expect(opened.password).toMatch(/^[A-Za-z2-9]{24}$/);
  expect(made()).toEqual(['create 1', 'password']);
  for (const text of [JSON.stringify(world.facade.statusOf(id)), world.logged(), onDisk()])
    expect(text).not.toContain(opened.password);

  world.facade.wish(id, { passwordReset: 2 });
  await untilApplied(id, { passwordReset: 2 });
  expect(world.facade.statusOf(id).credentials).toMatchObject({ passwordReset: 2 });
  expect(world.hypervisor.password).not.toBe(opened.password);
});

test('what cannot be done is told to the provider', async () => {
  world.start();
  const id = await active();
  delete world.hypervisor.setPassword;
  world.facade.wish(id, { passwordReset: 1 });
  await untilApplied(id, {
    failed: [
      { wish: 'Password', mark: '1', isFinal: true, message: 'this provisioner cannot set a password' },
    ],
  });
});
