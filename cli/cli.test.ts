/** The program from argument to exit code, against a server that verifies what was signed. */
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Answer, aProblem, dcm } from './test-facade.ts';
import { useTerminal } from './test-terminal.ts';

const terminal = useTerminal({
  prepare: async ({ folder }) => {
    await mkdir(join(folder, '.ssh'));
    await writeFile(join(folder, '.ssh', 'id_ed25519.pub'), 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me@host\n');
  },
});
const against = terminal.run;

describe('call', () => {
  test('signs body and query, and fills in the own key', async () => {
    const facade = await terminal.open(({ body }) => ({ data: body }));
    const argv = ['call', 'post', '/api/v1/providers/{pk}/x?a=b%20c', '-', '--api-url', facade.url];
    const ran = await dcm(terminal.home(), argv, { input: '{"note":"ü"}' });
    expect(JSON.parse(ran.stdout)).toEqual({ success: true, data: { note: 'ü' } });
    expect(facade.seen[0]).toMatchObject({ keyid: terminal.home().key.publicKey, query: { a: 'b c' } });
  });

  test('a refusal is printed whole, with exit code 1', async () => {
    const ran = await against(() => aProblem(422, 'UnknownField'), 'call', 'GET', '/api/v1/contracts');
    expect(JSON.parse(ran.stdout)).toMatchObject({ code: 'UnknownField' });
    expect(ran.exitCode).toBe(1);
  });

  test.each(['//elsewhere.example/api', 'api/v1/contracts', 'http://elsewhere.example/'])(
    '%s is no path',
    async (path) => {
      const ran = await against(() => ({ data: 1 }), 'call', 'GET', path);
      expect(ran.exitCode).toBe(2);
      expect(terminal.seen()).toEqual([]);
    },
  );
});

describe('keys and settings', () => {
  test('keygen makes a file for its owner only and never overwrites one', async () => {
    const file = join(terminal.home().folder, 'new', 'a.key');
    const made = await dcm(terminal.home(), ['keygen', '--out', file]);
    expect(made.stdout).toMatch(/^[0-9a-f]{64}\n$/);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const seed = await readFile(file, 'utf8');
    const again = await dcm(terminal.home(), ['keygen', '--out', file]);
    expect(again).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringContaining('exists already'),
    });
    expect(await readFile(file, 'utf8')).toBe(seed);
  });

  test('npm start leaves address and keys in the checkout; relative paths count from there', async () => {
    const facade = await terminal.open(() => ({ data: [] }));
    const folder = join(terminal.home().folder, '.dcmarket');
    await mkdir(folder);
    await writeFile(
      join(folder, 'dcm.json'),
      JSON.stringify({ apiUrl: facade.url, keys: { tenant: '../test.key' } }),
    );
    const ran = await dcm(terminal.home(), ['contracts'], { env: {} });
    expect(ran.exitCode).toBe(0);
    expect(facade.seen[0]?.keyid).toBe(terminal.home().key.publicKey);
    await terminal.close();
    const other = await dcm(terminal.home(), ['contracts'], { env: { DCM_API_URL: facade.url } });
    expect(other).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining(`nothing listens at ${facade.url}`),
    });
    await writeFile(join(folder, 'dcm.json'), '{"apiUrl":"ftp://x"}');
    expect(await dcm(terminal.home(), ['contracts'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('apiUrl'),
    });
    await writeFile(join(folder, 'dcm.json'), '{}');
  });

  const files: readonly Readonly<{ name: string; text?: string; mode?: number; want: RegExp }>[] = [
    { name: 'no such file', want: /there is no key .*missing\n.*dcm keygen/ },
    {
      name: 'readable by others',
      text: '0'.repeat(64),
      mode: 0o644,
      want: /can be read by others \(mode 644\)\n.*chmod 600/,
    },
    { name: 'not hex', text: 'g'.repeat(64), mode: 0o600, want: /not 64 lower-case hex/ },
    { name: 'too short', text: '0'.repeat(62), mode: 0o600, want: /not 64 lower-case hex/ },
  ];
  test.each(files)('a key file that is $name is named with what to do', async ({ text, mode, want }) => {
    const file = join(terminal.home().folder, text === undefined ? 'missing' : 'bad.key');
    if (text !== undefined) await writeFile(file, text, { mode: 0o600 });
    if (mode !== undefined) await chmod(file, mode);
    const ran = await dcm(terminal.home(), ['contracts', '--key', file]);
    expect(ran).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringMatching(want) });
  });
});

describe('wrong usage is exit code 2 and says what is allowed', () => {
  const cases: readonly (readonly [argv: string[], want: RegExp])[] = [
    [['bogus'], /unknown command 'bogus'/],
    [['rent'], /missing required argument 'offering'/],
    [['rent', 'a', '--hours', '0'], /whole number from 1 to 87600/],
    [['rent', 'a', '--hours', '1e3'], /whole number from 1 to 87600/],
    [['rent', 'a', '--ssh-key', '/no/such'], /there is no file \/no\/such/],
    [['offerings', '--region', 'mars'], /It must be one of europe, /],
    [['pool', 'create', 'x', '--location', 'europe', '--type', 'vmware'], /It must be one of proxmox, /],
    [['provider', 'create', 'Not A Name'], /lower case letters, digits and dashes/],
    [['call', 'FETCH', '/'], /It must be one of GET, /],
    [['call', 'POST', '/api/v1/contracts', '{oops'], /the body is not JSON/],
    [['call', 'POST', '/api/v1/contracts', '@/no/such'], /there is no file \/no\/such/],
    [['contracts', '--api-url', 'example.com'], /the address of the API is not valid/],
  ];
  test.each(cases)('%j', async (argv, want) => {
    const ran = await dcm(terminal.home(), argv);
    expect(ran).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringMatching(want) });
  });
});

describe('refusals', () => {
  test('say what is wrong, each field, and what to do; --json has the code', async () => {
    const errors = [
      { field: 'durationHours', message: 'must be at least 1' },
      { field: 'name', message: 'must be shorter' },
    ];
    const answer = (): Answer => aProblem(422, 'ValidationFailed', { errors });
    const ran = await against(answer, 'cancel', 'a'.repeat(32));
    expect(ran.stderr).toBe(
      'dcm: It is ValidationFailed.\n  durationHours: must be at least 1\n  name: must be shorter\n     Do it another way.\n',
    );
    const json = await against(answer, 'cancel', 'a'.repeat(32), '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ code: 'ValidationFailed', errors });
    expect(json.exitCode).toBe(1);
  });

  test('an answer that no dcmarket gives is told as such', async () => {
    const ran = await against(() => ({ status: 502, raw: '<html>' }), 'contracts');
    expect(ran).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('answered 502') });
  });
});
