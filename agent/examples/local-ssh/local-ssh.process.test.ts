import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually, isAlive } from '../../provisioner/testing.ts';
import {
  act,
  aTenantsRequest,
  aWorld,
  daemonsIn,
  isRoot,
  leftIn,
  refOf,
  signal,
  ssh,
  type World,
} from './testing.ts';

const request = aTenantsRequest('5');
const ref = refOf(request);
let world: World;
beforeEach(async () => {
  world = await aWorld();
});
afterEach(() => world.remove());

const listed = async () =>
  (await world.provisioner.list({ signal })).map(({ externalId, epoch, state }) => [
    externalId,
    epoch,
    state,
  ]);

describe('create', () => {
  test('twice gives the same instance, at the same time too', async () => {
    const { provisioner, root } = world;
    const both = await Promise.all([
      provisioner.create(request, { signal }),
      provisioner.create(request, { signal }),
    ]);
    expect(both[0]).toEqual(both[1]);
    expect(both[0]).toEqual(await provisioner.create(request, { signal }));
    expect(daemonsIn(root)).toHaveLength(1);
  });

  test('of several contracts at once gives each its own', async () => {
    const requests = ['6', '7', '8'].map(aTenantsRequest);
    const made = await Promise.all(requests.map((it) => world.provisioner.create(it, { signal })));
    expect(new Set(made.map(({ port }) => port)).size).toBe(3);
    expect(new Set(made.map(({ hostKeyFingerprint }) => hostKeyFingerprint)).size).toBe(3);
    expect(await listed()).toHaveLength(3);
    if (isRoot) expect(new Set(await Promise.all(made.map((it) => ssh(it, 'id -u')))).size).toBe(3);
  });

  test('refuses a contract that has a machine of another epoch', async () => {
    await world.provisioner.create(request, { signal });
    const failing = world.provisioner.create({ ...request, epoch: 4 }, { signal });
    await expect(failing).rejects.toMatchObject({
      message: /another's: epoch is 3, not 4/,
      class: 'permanent',
    });
  });

  test('refuses keys that nobody could log in with', async () => {
    const failing = world.provisioner.create({ ...request, sshPublicKeys: ['ssh-ed25519 AAAA'] }, { signal });
    await expect(failing).rejects.toMatchObject({ message: /none of the 1 SSH keys can be used/ });
    expect(await leftIn(world.root)).toEqual([]);
  });

  test.runIf(isRoot)('says so when the unprivileged user could not reach the folder', async () => {
    const parent = join(world.root, 'private');
    await mkdir(join(parent, 'instances'), { recursive: true });
    await chmod(parent, 0o700);
    const answer = await act(join(parent, 'instances'), { action: 'provision', contract_id: ref.contractId });
    expect(answer).toMatchObject({ success: false, class: 'configuration' });
    expect(answer['error']).toMatch(/private has mode 0700: .*could not reach.*DC_INSTANCES_DIR/);
  });
});

describe('a restart', () => {
  test('brings back port, host key and files, whether it was stopped or killed', async () => {
    const made = await world.provisioner.create(request, { signal });
    await ssh(made, 'echo precious >file');
    await world.provisioner.stop(ref, { signal });
    expect(await listed()).toEqual([[ref.externalId, 3, 'Stopped']]);
    expect(await world.provisioner.observe(ref, { signal })).toMatchObject({ status: 'Unhealthy' });
    await world.provisioner.start(ref, { signal });

    const [pid = 0] = daemonsIn(world.root);
    process.kill(pid, 'SIGKILL');
    await eventually(() => !isAlive(pid), 'the instance is dead');
    expect(await listed()).toEqual([[ref.externalId, 3, 'Stopped']]);
    await world.provisioner.start(ref, { signal });
    await world.provisioner.start(ref, { signal }); // it runs already

    expect(await world.provisioner.create(request, { signal })).toEqual(made);
    expect(await ssh(made, 'cat file')).toBe('precious');
    expect(await world.provisioner.observe(ref, { signal })).toMatchObject({ status: 'Healthy' });
  });

  test('fails clearly when the port was taken meanwhile, and works once it is free', async () => {
    const { port } = await world.provisioner.create(request, { signal });
    await world.provisioner.stop(ref, { signal });
    const thief = createServer().listen(port, '127.0.0.1');
    await expect(world.provisioner.start(ref, { signal })).rejects.toMatchObject({
      message: /cannot have its port back: another process took it .*:\d+/,
      class: 'transient',
    });
    await new Promise((resolve) => thief.close(resolve));
    await world.provisioner.start(ref, { signal });
    expect(daemonsIn(world.root)).toHaveLength(1);
  });

  test('never invents another host key', async () => {
    await world.provisioner.create(request, { signal });
    await world.provisioner.stop(ref, { signal });
    await rm(join(world.root, ref.externalId, 'host_key'));
    await expect(world.provisioner.start(ref, { signal })).rejects.toThrow(/host_key is gone/);
  });
});

describe('stop', () => {
  test('ends everything that was started in it', async () => {
    const made = await world.provisioner.create(request, { signal });
    const pid = Number(await ssh(made, 'setsid nohup sleep 62 >/dev/null 2>&1 & echo $!'));
    expect(isAlive(pid)).toBe(true);
    await world.provisioner.stop(ref, { signal });
    expect(isAlive(pid)).toBe(false);
    expect(daemonsIn(world.root)).toEqual([]);
  });
});

describe('list', () => {
  test('believes the processes, not the files', async () => {
    await world.provisioner.create(request, { signal });
    const record = join(world.root, ref.externalId, 'instance.json');
    const before = await readFile(record, 'utf8');
    await writeFile(record, before.replace('"epoch": 3', '"epoch": 9'));
    expect(await listed()).toEqual([[ref.externalId, 3, 'Running']]);
    await rm(join(world.root, ref.externalId), { recursive: true });
    expect(await listed()).toEqual([[ref.externalId, 3, 'Running']]);
    expect(await world.provisioner.destroy(ref, { signal })).toBe('Absent');
    expect(daemonsIn(world.root)).toEqual([]);
  });

  test('fails when an instance cannot be read, rather than leaving it out', async () => {
    await world.provisioner.create(request, { signal });
    await world.provisioner.stop(ref, { signal });
    const record = join(world.root, ref.externalId, 'instance.json');
    const before = await readFile(record, 'utf8');
    await writeFile(record, before.slice(0, 20));
    await expect(world.provisioner.list({ signal })).rejects.toThrow(/instance.json is damaged/);
    await writeFile(record, before);
  });
});

describe('destroy', () => {
  test('leaves nothing: no process, no file, no listener', async () => {
    const made = await world.provisioner.create(request, { signal });
    const pid = Number(await ssh(made, 'mkdir -m 0 locked; nohup sleep 63 >/dev/null 2>&1 & echo $!'));
    expect(await world.provisioner.destroy(ref, { signal })).toBe('Absent');
    expect(await world.provisioner.destroy(ref, { signal })).toBe('Absent');
    expect([isAlive(pid), daemonsIn(world.root), await leftIn(world.root)]).toEqual([false, [], []]);
    await expect(ssh(made, 'true')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('of an instance with other tags is refused, as is everything else', async () => {
    await world.provisioner.create(request, { signal });
    const {
      externalId: external_id,
      contractId: contract_id,
      agentUid: agent_uid,
      epoch,
      installation,
    } = ref;
    const own = { external_id, contract_id, agent_uid, epoch, installation };
    const strangers = [
      { action: 'terminate', ...own, epoch: 4 },
      { action: 'terminate', ...own, agent_uid: 'agent-2' },
      { action: 'terminate', ...own, installation: 'inst-2' },
      { action: 'terminate', ...own, contract_id: 'f'.repeat(32) },
      { action: 'stop', ...own, epoch: 4 },
      { action: 'start', ...own, epoch: 4 },
      { action: 'health_check', ...own, epoch: 4 },
      { action: 'retag', ...own, epoch: 4, new_epoch: 6 },
    ];
    for (const answer of await Promise.all(strangers.map((stranger) => act(world.root, stranger))))
      expect(answer).toMatchObject({
        success: false,
        class: 'permanent',
        error: expect.stringContaining("is another's"),
      });
    expect(await listed()).toEqual([[ref.externalId, 3, 'Running']]);
  });

  test('finishes what was killed half-way', async () => {
    await world.provisioner.create(request, { signal });
    await world.provisioner.stop(ref, { signal });
    const record = join(world.root, ref.externalId, 'instance.json');
    await writeFile(
      record,
      (await readFile(record, 'utf8')).replace('"isBeingDestroyed": false', '"isBeingDestroyed": true'),
    );
    await rm(join(world.root, ref.externalId, 'home'), { recursive: true });
    expect(await listed()).toEqual([[ref.externalId, 3, 'Stopped']]);
    await expect(world.provisioner.create(request, { signal })).rejects.toThrow(
      /half destroyed: terminate it again/,
    );
    expect(await world.provisioner.destroy(ref, { signal })).toBe('Absent');
    expect(await leftIn(world.root)).toEqual([]);
  });
});

describe('adopt', () => {
  test('changes the tags that list reads, and nothing that the tenant knows', async () => {
    const made = await world.provisioner.create(request, { signal });
    await ssh(made, 'echo precious >file');
    const tags = { epoch: 5, agentUid: 'agent-2' };
    expect(await world.provisioner.adopt(ref, tags, { signal })).toEqual(made);
    expect(await world.provisioner.adopt(ref, tags, { signal })).toEqual(made); // asked again
    expect(await world.provisioner.list({ signal })).toMatchObject([
      { epoch: 5, agentUid: 'agent-2', state: 'Running' },
    ]);
    expect(await ssh(made, 'cat file')).toBe('precious');
    await expect(world.provisioner.destroy(ref, { signal })).rejects.toMatchObject({
      code: 'ForeignInstance',
    });
  });
  test('leaves a stopped one stopped', async () => {
    await world.provisioner.create(request, { signal });
    await world.provisioner.stop(ref, { signal });
    await world.provisioner.adopt(ref, { epoch: 5, agentUid: 'agent-1' }, { signal });
    expect(await listed()).toEqual([[ref.externalId, 5, 'Stopped']]);
  });
});

test('an agent that dies in the middle of anything can go on', async () => {
  const { contractId: contract_id, agentUid: agent_uid, epoch, installation, externalId: external_id } = ref;
  const tags = { contract_id, agent_uid, epoch, installation };
  const provision = {
    action: 'provision',
    ...tags,
    external_id: null,
    ssh_public_keys: request.sshPublicKeys,
  };
  const terminate = { action: 'terminate', ...tags, external_id };
  for (const killAfterMs of [60, 120, 180]) {
    await act(world.root, provision, killAfterMs).catch(() => undefined);
    const state = (await listed())[0]?.[2];
    expect([undefined, 'Stopped', 'Running']).toContain(state);
    expect(await act(world.root, provision)).toMatchObject({ success: true });
    expect(daemonsIn(world.root)).toHaveLength(1);

    await act(world.root, terminate, killAfterMs).catch(() => undefined);
    if ((await listed()).length === 0) expect(daemonsIn(world.root)).toEqual([]);
    expect(await act(world.root, terminate)).toEqual({ success: true });
    expect([await listed(), daemonsIn(world.root), await leftIn(world.root)]).toEqual([[], [], []]);
  }
});
