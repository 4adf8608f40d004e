import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { aRef, CONTRACT, type Scratch, scratch, withShell as shellProvisioner } from './testing.ts';

const signal = new AbortController().signal;
let world: Scratch;
beforeEach(async () => {
  world = await scratch();
});
afterEach(() => world.remove());
const INSTANCE = { external_id: `dc-${CONTRACT}`, ssh_port: 2222, ip_address: '192.0.2.7' };
const LISTED = {
  external_id: `dc-${CONTRACT}`,
  contract_id: CONTRACT,
  epoch: 3,
  installation: 'inst-1',
  agent_uid: 'agent-1',
  state: 'running',
  created_at: '2026-01-01T00:00:00Z',
};
const withShell = (shell: string) => shellProvisioner(world, shell);
const withAnswer = (answer: unknown) => withShell(`cat <<'END'\n${JSON.stringify(answer)}\nEND`);
const request = async () => JSON.parse(await readFile(join(world.dir, 'request'), 'utf8'));

describe('list', () => {
  test('answers the machines of this installation, those of other agents too', async () => {
    const other = { ...LISTED, external_id: 'dc-2', agent_uid: 'agent-2', state: 'Stopped' };
    const foreign = { ...LISTED, external_id: 'dc-3', installation: 'inst-2' };
    const listed = await (await withAnswer({ success: true, instances: [LISTED, other, foreign] })).list({
      signal,
    });
    expect(listed.map(({ externalId, agentUid, state }) => [externalId, agentUid, state])).toEqual([
      [`dc-${CONTRACT}`, 'agent-1', 'Running'],
      ['dc-2', 'agent-2', 'Stopped'],
    ]);
  });

  test('says how much of the host each takes, where the program can tell', async () => {
    const sized = { ...LISTED, cpu_cores: 2, memory_mb: 512 };
    const instances = [sized, { ...LISTED, external_id: 'dc-2' }];
    const listed = await (await withAnswer({ success: true, instances })).list({ signal });
    expect(listed.map(({ size }) => size)).toEqual([
      { cpuMilli: 2000, memoryBytes: 512 * 2 ** 20, storageBytes: 0 },
      undefined,
    ]);
  });

  for (const [name, answer] of Object.entries({
    'one entry is unreadable': { success: true, instances: [LISTED, { ...LISTED, epoch: 'three' }] },
    'the list is missing': { success: true },
    'the program says so': { success: false, error: 'hypervisor does not answer' },
  }))
    test(`fails rather than being short or empty when ${name}`, async () => {
      await expect((await withAnswer(answer)).list({ signal })).rejects.toThrow();
    });
});

describe('destroy', () => {
  /** Answers `before` to the first list and `after` to later ones; `terminated` says that terminate ran. */
  const withLists = (before: unknown[], after: unknown[]) =>
    withShell(`
      case "$(cat "${world.dir}/request")" in
        *'"terminate"'*) touch "${world.dir}/terminated"; echo '{"success":true}';;
        *) if [ -e "${world.dir}/terminated" ]; then echo '${JSON.stringify({ success: true, instances: after })}'
           else echo '${JSON.stringify({ success: true, instances: before })}'; fi;;
      esac`);
  const isTerminated = () => existsSync(join(world.dir, 'terminated'));

  test('answers Absent once the machine is no longer listed', async () => {
    expect(await (await withLists([LISTED], [])).destroy(aRef(), { signal })).toBe('Absent');
    expect(isTerminated()).toBe(true);
  });
  test('lets the program clean up what no list shows', async () => {
    expect(await (await withLists([], [])).destroy(aRef(), { signal })).toBe('Absent');
    expect(isTerminated()).toBe(true);
  });
  test('does not believe a program that left the machine standing', async () => {
    const failing = (await withLists([LISTED], [LISTED])).destroy(aRef(), { signal });
    await expect(failing).rejects.toMatchObject({ code: 'StillExists', isRetryable: true });
  });
  for (const tags of [{ epoch: 4 }, { agent_uid: 'agent-2' }, { contract_id: 'f'.repeat(32) }])
    test(`refuses a machine whose tags differ: ${JSON.stringify(tags)}`, async () => {
      const failing = (await withLists([{ ...LISTED, ...tags }], [])).destroy(aRef(), { signal });
      await expect(failing).rejects.toMatchObject({ code: 'ForeignInstance' });
      expect(isTerminated()).toBe(false);
    });
});

describe('adopt', () => {
  const withMachine = (epoch: number) =>
    withShell(`
      case "$(cat "${world.dir}/request")" in
        *'"retag"'*) echo '${JSON.stringify({ success: true, instance: INSTANCE })}';;
        *) echo '${JSON.stringify({ success: true, instances: [{ ...LISTED, epoch }] })}';;
      esac`);

  test('re-tags an older machine of its own', async () => {
    const adopted = await (await withMachine(3)).adopt(aRef(), { epoch: 5, agentUid: 'agent-1' }, { signal });
    expect(adopted.port).toBe(2222);
    expect(await request()).toMatchObject({
      action: 'retag',
      epoch: 3,
      new_epoch: 5,
      new_agent_uid: 'agent-1',
    });
  });
  test('may be repeated after an interruption', async () => {
    await (await withMachine(5)).adopt(aRef(), { epoch: 5, agentUid: 'agent-1' }, { signal });
    expect(await request()).toMatchObject({ action: 'retag', new_epoch: 5 });
  });
  test('refuses a machine of another epoch', async () => {
    const failing = (await withMachine(4)).adopt(aRef(), { epoch: 5, agentUid: 'agent-1' }, { signal });
    await expect(failing).rejects.toMatchObject({ code: 'ForeignInstance' });
  });
});
