/** `npm run check`: everything that needs no server, two at a time, each with its own line. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import type { Dev } from './dev.ts';
import { runNode, TOOLS } from './tool.ts';
import { type Counts, runVitest } from './vitest.ts';

type Check = Readonly<{
  title: string;
  run: (dev: Dev) => Promise<Counts & { output: string }>;
  help: string;
}>;

const PARTS = ['lib', 'crds', 'kube', 'store', 'operator', 'api', 'agent', 'cli', 'dev', 'test', 'bench'];
/** More than the cores of a small machine only makes each of them slower. */
const AT_ONCE = 2;

const CHECKS: readonly Check[] = [
  {
    title: 'unit tests',
    run: (dev) => runVitest(dev, { projects: ['unit'], quiet: true }),
    help: 'npm run test:unit shows them alone',
  },
  {
    title: 'types',
    run: tool(TOOLS.tsc, () => ['--noEmit', '--pretty', String(process.stdout.isTTY === true)]),
    help: 'mend the types above',
  },
  {
    title: 'types of the example scripts',
    run: tool(TOOLS.tsc, () => ['--noEmit', '-p', 'agent/examples/local-ssh']),
    help: 'mend the types above',
  },
  {
    title: 'lint and format',
    run: tool(TOOLS.biome, () => ['check', '--error-on-warnings']),
    help: 'npm run format mends most of it',
  },
  {
    title: 'import directions',
    run: tool(TOOLS.depcruise, ({ paths }) => [
      ...['--config', '.dependency-cruiser.cjs', '--progress', 'none'],
      ...PARTS.filter((part) => existsSync(join(paths.root, part))),
    ]),
    help: 'docs/architecture.md has the table of who may import whom',
  },
  {
    title: 'generated files',
    run: tool('crds/gen/main.ts', () => ['--check']),
    help: 'npm run gen writes them; commit the result',
  },
];

/** Answers how many passed and failed; prints the output of each that failed. */
export async function check(dev: Dev): Promise<Counts> {
  const waiting = [...CHECKS];
  const total = { passed: 0, failed: 0 };
  const failures: string[] = [];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { title, run, help } = next;
      await dev.progress
        .step(title, async (step) => {
          const result = await run(dev);
          total.passed += result.passed;
          total.failed += result.failed;
          if (result.passed + result.failed > 1)
            step.detail(`${result.passed} passed, ${result.failed} failed`);
          if (result.failed > 0) throw new Failure('ChecksFailed', `${result.output}\n`, { next: help });
        })
        .catch((error: unknown) => {
          if (!(error instanceof Failure && error.code === 'ChecksFailed')) throw error;
          failures.push(`\n${title}:\n${error.message}\n  what to do: ${error.next}`);
        });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  for (const failure of failures) dev.progress.say(failure);
  return total;
}

export async function runCheck(dev: Dev): Promise<number> {
  const { failed } = await check(dev);
  return failed === 0 ? 0 : 1;
}

function tool(file: string, args: (dev: Dev) => string[]): Check['run'] {
  return async (dev) => {
    const { code, output } = await runNode(dev, file, args(dev), { env: colourOf(dev) });
    return code === 0 ? { passed: 1, failed: 0, output } : { passed: 0, failed: 1, output };
  };
}

/** A tool whose output is captured sees no terminal; whether there is one, we know. */
function colourOf({ env }: Dev): Record<string, string> {
  return process.stdout.isTTY && !env['NO_COLOR'] ? { FORCE_COLOR: '1' } : {};
}
