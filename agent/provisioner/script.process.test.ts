import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import { createLogger } from '../../lib/log.ts';
import { ScriptConfig, scriptProvisioner } from './script.ts';
import { aRef, aRequest, CONTRACT, type Scratch, scratch, withShell as shellProvisioner } from './testing.ts';

const signal = new AbortController().signal;
const INSTANCE = { external_id: `dc-${CONTRACT}`, ssh_port: 2222, ip_address: '192.0.2.7' };

let world: Scratch;
beforeEach(async () => {
  world = await scratch();
});
afterEach(() => world.remove());

const withShell = (shell: string, config?: Partial<ScriptConfig>) => shellProvisioner(world, shell, config);
const withAnswer = (answer: unknown) => withShell(`cat <<'END'\n${JSON.stringify(answer)}\nEND`);
const request = async () => JSON.parse(await readFile(join(world.dir, 'request'), 'utf8'));

describe('the request', () => {
  test('of provision has the fields of the reference agent and the tags', async () => {
    const provisioner = await withAnswer({ success: true, instance: INSTANCE });
    await provisioner.create(aRequest({ memoryMb: 512, instanceConfig: { image: 'debian' } }), { signal });
    expect(await request()).toEqual({
      action: 'provision',
      external_id: null,
      contract_id: CONTRACT,
      epoch: 3,
      installation: 'inst-1',
      agent_uid: 'agent-1',
      offering_id: 'demo/hello',
      cpu_cores: null,
      memory_mb: 512,
      storage_gb: null,
      requester_ssh_pubkey: 'ssh-ed25519 AAAA one',
      ssh_public_keys: ['ssh-ed25519 AAAA one'],
      instance_config: { image: 'debian' },
      post_provision_script: null,
    });
  });

  for (const [method, action] of [
    ['start', 'start'],
    ['stop', 'stop'],
  ] as const)
    test(`of ${action} names the machine and its tags`, async () => {
      await (await withAnswer({ success: true }))[method](aRef(), { signal });
      const tags = { external_id: `dc-${CONTRACT}`, contract_id: CONTRACT, epoch: 3, installation: 'inst-1' };
      expect(await request()).toEqual({ action, ...tags, agent_uid: 'agent-1' });
    });

  test('of set_password has the password on stdin, and it comes back in no log and no error', async () => {
    const provisioner = await withAnswer({ success: true, user: 'root' });
    expect(await provisioner.setPassword?.(aRef(), 'correct-horse', { signal })).toEqual({ user: 'root' });
    expect(await request()).toMatchObject({ action: 'set_password', password: 'correct-horse', epoch: 3 });
    for (const shell of [
      `echo correct-horse >&2; echo '{"success":false,"error":"correct-horse is too weak"}'`,
      'echo correct-horse; echo correct-horse >&2; exit 3',
    ]) {
      const talkative = await withShell(shell);
      const failing = talkative.setPassword?.(aRef(), 'correct-horse', { signal });
      const error = await failing?.catch((cause: unknown) => inspect(cause, { depth: 9 }));
      expect(error).toContain('[redacted]');
      expect(`${error}${talkative.logged()}`).not.toContain('correct-horse');
    }
  });

  test('goes to the program of its action where there is one', async () => {
    const provisioner = await withShell('echo wrong');
    const own = await world.program(
      'health',
      '#!/bin/sh\necho \'{"success":true,"health":{"status":"unknown"}}\'\n',
    );
    const split = scriptProvisioner({
      config: ScriptConfig.parse({ provision: join(world.dir, 'program'), health_check: own }),
      installation: 'inst-1',
      environment: {},
      clock: systemClock,
      log: createLogger({ name: 'test', level: 'silent' }),
    });
    expect(await split.observe(aRef(), { signal })).toEqual({ status: 'Unknown' });
    await expect(provisioner.observe(aRef(), { signal })).rejects.toMatchObject({
      code: 'ProgramAnswerInvalid',
    });
  });

  test('may be left unread, and the environment is inherited', async () => {
    const program = await world.program(
      'deaf',
      `#!/bin/sh\necho '{"success":true,"health":{"status":"unhealthy","reason":"'"$GREETING"'"}}'\n`,
    );
    const provisioner = await withShell('', { health_check: program });
    const instanceConfig = { padding: 'x'.repeat(300_000) };
    expect(await provisioner.observe(aRef(), { signal })).toEqual({ status: 'Unhealthy', reason: 'hello' });
    const deaf = await withShell('', { provision: program });
    await expect(deaf.create(aRequest({ instanceConfig }), { signal })).rejects.toMatchObject({
      code: 'ProgramAnswerInvalid',
    });
  });
});

describe('an answer', () => {
  test('becomes an instance with host, addresses and what else is to be reported, without the password', async () => {
    const extra = {
      public_ip: '198.51.100.7',
      root_password: 'hunter22',
      gateway_slug: 'k3x9',
      gateway_ssh_port: 22001,
    };
    const provisioner = await withAnswer({
      success: true,
      instance: { ...INSTANCE, ...extra, ssh_user: 'tenant' },
    });
    expect(await provisioner.create(aRequest(), { signal })).toEqual({
      externalId: `dc-${CONTRACT}`,
      host: '198.51.100.7',
      port: 2222,
      user: 'tenant',
      addresses: ['198.51.100.7', '192.0.2.7'],
      hostKeyFingerprint: undefined,
      isConfirmed: false,
      details: { gateway_slug: 'k3x9', gateway_ssh_port: 22001 },
    });
  });

  const garbage: Record<string, [string, RegExp]> = {
    'with text before it': [
      'echo Starting; echo \'{"success":true}\'',
      /not exactly one JSON document; found "Starting/,
    ],
    'of two documents': ['echo \'{"success":true}{"success":true}\'', /not exactly one JSON document/],
    'of nothing': ['true', /is empty/],
    'that is not UTF-8': ["printf '\\377'", /not UTF-8/],
    'without what the action needs': ['echo \'{"success":true}\'', /not the answer to health_check.*health/],
    'with a wrong type': ['echo \'{"success":true,"health":{"status":"fine"}}\'', /health\.status/],
  };
  for (const [name, [shell, message]] of Object.entries(garbage))
    test(`${name} is refused, saying what was found`, async () => {
      const failing = (await withShell(shell)).observe(aRef(), { signal });
      await expect(failing).rejects.toMatchObject({
        code: 'ProgramAnswerInvalid',
        class: 'configuration',
        message,
      });
    });

  test('that never ends is cut off and its program killed', async () => {
    const provisioner = await withShell('exec yes');
    const failing = provisioner.observe(aRef(), { signal });
    await expect(failing).rejects.toMatchObject({ code: 'ProgramAnswerTooLarge' });
  });

  const refusals = [
    { answer: { error: 'no room' }, want: { class: 'transient', isRetryable: true } },
    { answer: { error: 'no room', class: 'capacity' }, want: { class: 'capacity', isRetryable: true } },
    { answer: { error: 'no room', retry_possible: false }, want: { class: 'permanent', isRetryable: false } },
    { answer: { error: 'no room', class: 'odd' }, want: { class: 'transient' } },
  ];
  for (const { answer, want } of refusals)
    test(`success:false with ${JSON.stringify(answer)} is ${want.class}`, async () => {
      const failing = (await withAnswer({ success: false, ...answer })).create(aRequest(), { signal });
      await expect(failing).rejects.toMatchObject({
        code: 'ProgramRefused',
        message: 'provision: no room',
        ...want,
      });
    });
});
