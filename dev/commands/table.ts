/** The commands, their options and their help; each is loaded only when it is asked for. */
import { type Command, InvalidArgumentError } from 'commander';
import type { StartOptions } from '../start/options.ts';
import type { Run } from './dev.ts';

export function addCommands(program: Command, execute: (run: Run) => Promise<void>): void {
  const start = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .option('--kubeconfig <file>', 'use an existing cluster instead of starting one')
      .option('--port <number>', 'port of the API (default: 8080)', parsePort)
      .addHelpText('after', START_HELP);

  start('start', 'the whole market on this machine, with a first machine rented')
    .option('--once', 'do everything once, clean up, and end')
    .action((options: StartOptions) =>
      execute(async (dev) => (await import('./start.ts')).runStart(dev, options)),
    );
  start('dev', 'as start, and parts start again when their files are saved').action((options: StartOptions) =>
    execute(async (dev) => (await import('./start.ts')).runStart(dev, { ...options, reload: true })),
  );
  program
    .command('check')
    .description('types, lint and format, import directions, generated files, unit tests; under a minute')
    .action(() => execute(async (dev) => (await import('./check.ts')).runCheck(dev)));
  program
    .command('test')
    .description('everything: check, then tests against a real API server and PostgreSQL, end to end')
    .argument('[filter...]', 'only test files whose path contains this')
    .action((filter: string[]) => execute(async (dev) => (await import('./test.ts')).runTest(dev, filter)));
  program
    .command('test:unit')
    .description('the unit tests, which need no server')
    .argument('[filter...]', 'only test files whose path contains this')
    .action((filter: string[]) =>
      execute(async (dev) => (await import('./test.ts')).runUnitTests(dev, filter)),
    );
  program
    .command('test:faults')
    .description('every crash point, every seed, a million states: up to half an hour')
    .argument('[filter...]', 'only files whose path contains this')
    .action((filter: string[]) =>
      execute(async (dev) => (await import('./test.ts')).runFaultSweep(dev, filter)),
    );
  program
    .command('gen')
    .description('write the CRD manifests from the schemas in crds/')
    .option('--check', 'write nothing, fail when they differ')
    .action((options: { check?: boolean }) =>
      execute(async (dev) => (await import('./one-program.ts')).runGen(dev, options)),
    );
  program
    .command('format')
    .description('format and fix what can be fixed')
    .action(() => execute(async (dev) => (await import('./one-program.ts')).runFormat(dev)));
  program
    .command('reset')
    .description('stop what is left of earlier runs, and remove all their data')
    .action(() => execute(async (dev) => (await import('./reset.ts')).runReset(dev)));
  program
    .command('bench')
    .description('measure, and print the baseline of the same run beside it')
    .argument('[name...]', 'only these measurements')
    .option('--quick', 'fewer rounds: whether it runs, not what it says')
    .action((names: string[], { quick }: { quick?: boolean }) =>
      execute(async (dev) =>
        (await import('./one-program.ts')).runBench(dev, quick ? [...names, '--quick'] : names),
      ),
    );
  program
    .command('control-plane')
    .description('build kube-apiserver, etcd and kubectl into a fresh folder, and try them')
    .option('--cold', 'with an empty build cache')
    .action((options: { cold?: boolean }) =>
      execute(async (dev) => (await import('./control-plane.ts')).runControlPlane(dev, options)),
    );
}

const START_HELP = `
Environment:
  DATABASE_URL            an existing PostgreSQL instead of one of our own
  KUBEBUILDER_ASSETS      folder with kube-apiserver, etcd and kubectl
  DCMARKET_ENVTEST_INDEX  another index of envtest archives, e.g. of a mirror
  DCMARKET_GO             the Go compiler to build the control plane with

Examples:
  npm start
  npm start -- --once
  npm start -- --port 9090
  npm start -- --kubeconfig ~/.kube/config`;

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new InvalidArgumentError('a port is a whole number from 1 to 65535.');
  return port;
}
