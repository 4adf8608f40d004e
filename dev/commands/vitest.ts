/** Runs vitest projects and counts what it found, from its JSON report. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Dev } from './dev.ts';
import { runNode, TOOLS } from './tool.ts';

export type Counts = Readonly<{ passed: number; failed: number }>;
export type VitestResult = Counts & Readonly<{ output: string }>;

const Report = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      assertionResults: z.array(z.object({ status: z.string() })),
    }),
  ),
});

type Run = Readonly<{
  projects: readonly string[];
  filter?: readonly string[];
  /** Keeps what it prints, for whoever wants to show it. */
  quiet?: boolean;
}>;

export async function runVitest(
  dev: Dev,
  { projects, filter = [], quiet = false }: Run,
): Promise<VitestResult> {
  const folder = mkdtempSync(join(tmpdir(), 'dcmarket-vitest-'));
  const report = join(folder, 'report.json');
  try {
    const { code, output } = await runNode(
      dev,
      TOOLS.vitest,
      [
        ...['run', ...projects.map((project) => `--project=${project}`), '--passWithNoTests'],
        ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
        // By default vitest leaves one core free, which halves it on a machine with two.
        ...[`--maxWorkers=${availableParallelism()}`, ...filter],
      ],
      { output: quiet ? 'capture' : 'inherit' },
    );
    return { ...countTests(readReport(report), code), output };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * A file that could not even be loaded is one failure. A run that failed although every test passed (an
 * unhandled error, a set-up that threw) is one failure too, so that it can never look like success.
 */
export function countTests(report: z.infer<typeof Report> | undefined, exitCode: number): Counts {
  let passed = 0;
  let failed = 0;
  for (const { status, assertionResults } of report?.testResults ?? []) {
    passed += assertionResults.filter((test) => test.status === 'passed').length;
    const failing = assertionResults.filter((test) => test.status === 'failed').length;
    failed += failing === 0 && status === 'failed' ? 1 : failing;
  }
  return { passed, failed: failed === 0 && exitCode !== 0 ? 1 : failed };
}

function readReport(file: string): z.infer<typeof Report> | undefined {
  try {
    return Report.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined; // vitest ended before it could write one; its exit code tells
  }
}
