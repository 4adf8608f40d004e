/** What counts as passed and failed: nothing that went wrong may look like success. */
import { expect, test } from 'vitest';
import { countTests } from './vitest.ts';

const file = (status: string, ...tests: string[]) => ({
  name: 'a.test.ts',
  status,
  assertionResults: tests.map((one) => ({ status: one })),
});

const cases = [
  {
    name: 'tests, and not those that were skipped',
    files: [file('passed', 'passed', 'skipped')],
    code: 0,
    want: [1, 0],
  },
  {
    name: 'failed tests',
    files: [file('failed', 'passed', 'failed'), file('passed', 'passed')],
    code: 1,
    want: [2, 1],
  },
  {
    name: 'a file that could not be loaded',
    files: [file('failed'), file('passed', 'passed')],
    code: 1,
    want: [1, 1],
  },
  {
    name: 'a run that fails although every test passed',
    files: [file('passed', 'passed')],
    code: 1,
    want: [1, 1],
  },
  { name: 'a run that ended without a report', files: undefined, code: 1, want: [0, 1] },
];
for (const { name, files, code, want } of cases)
  test(`counts ${name}`, () => {
    const { passed, failed } = countTests(files && { testResults: files }, code);
    expect([passed, failed]).toEqual(want);
  });
