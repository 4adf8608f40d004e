/** Re-installing and other keys: the machine stays the same one, with the same port and tags. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  act,
  aTenantsRequest,
  aWorld,
  connect,
  daemonsIn,
  isRoot,
  refOf,
  run,
  signal,
  ssh,
  type World,
} from './testing.ts';

const request = aTenantsRequest('5');
const ref = refOf(request);
const OTHERS = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJ1dCB0aGlzIGlzIG9ubHkgYSB0ZXN0IGtleSBvZiBvdXJz other';
let world: World;
beforeEach(async () => {
  world = await aWorld();
});
afterEach(() => world.remove());

describe('re-installing', () => {
  test('leaves port, name and tags, and takes all data and the host key', async () => {
    const { provisioner } = world;
    const made = await provisioner.create(request, { signal });
    await ssh(made, 'echo mine > file');
    const renewed = await provisioner.reinstall?.(ref, request, { signal });
    expect(renewed).toMatchObject({ externalId: made.externalId, port: made.port });
    expect(renewed?.hostKeyFingerprint).not.toBe(made.hostKeyFingerprint);
    expect(await ssh(renewed ?? made, 'ls')).toBe('');
    if (isRoot) expect(await ssh(renewed ?? made, 'touch new && ls')).toBe('new');
    expect(daemonsIn(world.root)).toHaveLength(1);
    expect(await provisioner.list({ signal })).toMatchObject([{ epoch: request.epoch, state: 'Running' }]);
  });

  test('may be killed at any moment and asked again', async () => {
    const { provisioner, root } = world;
    await provisioner.create(request, { signal });
    const asked = {
      action: 'reinstall',
      contract_id: ref.contractId,
      external_id: ref.externalId,
      ssh_public_keys: request.sshPublicKeys,
    };
    for (const afterMs of [60, 110, 160, 210]) await act(root, asked, afterMs).catch(() => undefined);
    const renewed = await provisioner.reinstall?.(ref, request, { signal });
    if (!renewed) throw new Error('it can re-install');
    expect(await ssh(renewed, 'echo fine')).toBe('fine');
  });

  test("never touches another's", async () => {
    await world.provisioner.create(request, { signal });
    const failing = world.provisioner.reinstall?.({ ...ref, epoch: 9 }, { ...request, epoch: 9 }, { signal });
    await expect(failing).rejects.toMatchObject({ message: /another's/ });
  });
});

test('other keys count from the next login on, without a restart', async () => {
  const { provisioner, root } = world;
  const made = await provisioner.create(request, { signal });
  const [before] = daemonsIn(root);
  await provisioner.setSshKeys?.(ref, [OTHERS], { signal });
  await expect(ssh(made, 'true')).rejects.toThrow();
  await provisioner.setSshKeys?.(ref, [...request.sshPublicKeys, OTHERS], { signal });
  expect(await ssh(made, 'echo back')).toBe('back');
  expect(daemonsIn(root)).toEqual([before]);
});

test('a password logs in beside the keys, an earlier one and any other do not, and a fresh system knows none', async () => {
  const { provisioner, root } = world;
  const made = await provisioner.create(request, { signal });
  const loginWith = async (password: string, instance = made): Promise<string> => {
    await using client = await connect(instance, { privateKey: '', password });
    return (await run(client, 'echo in')).stdout.trim();
  };
  const passwords = ['first-one-of-us', 'another-one-of-us'] as const;
  await expect(loginWith(passwords[0])).rejects.toThrow();
  expect(await provisioner.setPassword?.(ref, passwords[0], { signal })).toEqual({ user: 'tenant' });
  expect(await loginWith(passwords[0])).toBe('in');
  await provisioner.setPassword?.(ref, passwords[1], { signal });
  await expect(loginWith(passwords[0])).rejects.toThrow();
  expect([await loginWith(passwords[1]), await ssh(made, 'echo key')]).toEqual(['in', 'key']);
  expect(readFileSync(join(root, ref.externalId, 'instance.json'), 'utf8')).not.toContain(passwords[1]);
  const renewed = await provisioner.reinstall?.(ref, request, { signal });
  await expect(loginWith(passwords[1], renewed)).rejects.toThrow();
});
