/** A provider's rules for rentals at the command line: what is sent, and what a person reads. */
import { describe, expect, test } from 'vitest';
import { aProblem } from '../test-facade.ts';
import { useTerminal } from '../test-terminal.ts';

const terminal = useTerminal();
const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(64)) as [string, string, string];
const KNOWN = {
  mode: 'Automatic',
  minDurationHours: 2,
  allowedTenants: [A],
  blockedTenants: [B],
} as const;

/** What is written is what is answered, as the API does. */
const run = (known: object, ...words: string[]) =>
  terminal.run(
    ({ method, body }) => ({ data: method === 'GET' ? known : body }),
    'provider',
    'rules',
    ...words,
  );
const written = () =>
  terminal
    .seen()
    .filter(({ method }) => method === 'PUT')
    .map(({ body }) => body);

test('shows what there is, and writes nothing', async () => {
  expect((await run(KNOWN)).stdout).toBe(
    `Every rental that fits is accepted at once.
Hours    at least 2, within what the offerings say
Only     ${A}
Blocked  ${B}
`,
  );
  expect(written()).toEqual([]);
  expect(terminal.seen()[0]?.keyid).toBe(terminal.home().key.publicKey);
});

test('writes nothing where GitOps has written an empty list', async () => {
  await run({ ...KNOWN, allowedTenants: [] });
  expect(written()).toEqual([]);
});

test('without any rule it says so', async () => {
  expect((await run({ mode: 'Manual' })).stdout).toBe(
    `You decide on each rental that fits: dcm provider requests
Hours    as the offerings say
Only     everybody
Blocked  nobody
`,
  );
});

const cases: [string, string[], object][] = [
  ['a longest rental', ['--max-hours', '720'], { ...KNOWN, maxDurationHours: 720 }],
  ['no shortest rental', ['--min-hours', 'none'], { ...KNOWN, minDurationHours: undefined }],
  ['by hand', ['--acceptance', 'manual'], { ...KNOWN, mode: 'Manual' }],
  ['two more who may', ['--allow', C, B], { ...KNOWN, allowedTenants: [A, C, B] }],
  ['everybody may', ['--disallow', 'all'], { ...KNOWN, allowedTenants: undefined }],
  ['one is blocked, another no longer', ['--block', C, '--unblock', B], { ...KNOWN, blockedTenants: [C] }],
];
describe('changes only what is named', () => {
  test.each(cases)('%s', async (_name, words, want) => {
    expect(await run(KNOWN, ...words)).toMatchObject({ exitCode: 0, stderr: '' });
    expect(written()).toEqual([JSON.parse(JSON.stringify(want))]);
  });

  test('and nothing that somebody else has changed meanwhile', async () => {
    let rules: object = KNOWN;
    let tries = 0;
    const ran = await terminal.run(
      ({ method, body }) => {
        if (method === 'GET') return { data: rules, headers: { etag: `"${tries}"` } };
        if (tries++ > 0) return { data: body };
        rules = { ...KNOWN, blockedTenants: [B, C] };
        return aProblem(412, 'PreconditionFailed');
      },
      ...['provider', 'rules', '--max-hours', '9'],
    );
    expect([ran.exitCode, ran.stderr]).toEqual([0, '']);
    expect(written().at(-1)).toEqual({ ...KNOWN, blockedTenants: [B, C], maxDurationHours: 9 });
  });

  test('what is so already is not written again', async () => {
    await run(KNOWN, '--allow', A, '--min-hours', '2');
    expect(written()).toEqual([]);
  });
});

test.each([
  [['--block', 'nobody'], 'nobody is no public key'],
  [['--max-hours', '1'], 'rentals of at least 2 and at most 1 hours are none'],
  [['--max-hours', 'ever'], 'whole number'],
  [['--acceptance', 'maybe'], 'It must be one of automatic, manual'],
])('%j is refused before anything is written', async (words, message) => {
  const ran = await run(KNOWN, ...words);
  expect([ran.exitCode, ran.stderr]).toEqual([2, expect.stringContaining(message)]);
  expect(written()).toEqual([]);
});

test('--help has examples, --json prints what is', async () => {
  expect((await run(KNOWN, '--help')).stdout).toContain('Examples:\n  dcm provider rules\n');
  expect(JSON.parse((await run(KNOWN, '--json')).stdout)).toEqual(KNOWN);
});
