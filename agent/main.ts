/** dc-agent's entry: the command line, the environment and the signals; everything else is called from here. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { systemClock as clock } from '../lib/clock.ts';
import { ApiProblem, ApiUnreachable } from './api-client.ts';
import { doctor } from './commands/doctor.ts';
import { leave } from './commands/leave.ts';
import { reportDone, reportFailed, reportGone } from './commands/manual.ts';
import { run } from './commands/run.ts';
import { status } from './commands/status.ts';
import { configPath } from './config/paths.ts';
import { EXIT, type ExitCode, Failure, messageOf } from './failure.ts';
import { createOutput } from './output.ts';
import { ProvisionerError } from './provisioner/provisioner-error.ts';
import { setUp } from './setup/setup.ts';
import { VERSION } from './version.ts';

const EXAMPLES = `
Examples:
  dc-agent setup --token apt_europe_5d0f… --api-url https://api.example.com
  dc-agent doctor                          is everything right? what to do where not
  dc-agent run                             until SIGTERM; instances keep running
  dc-agent status                          what runs here, what is unfinished
  dc-agent manual done 4f0c… --external-id rack7 --host 198.51.100.7 --port 22
  dc-agent run --config /etc/dc-agent/second.toml

Exit codes: 0 done, 1 failed, 2 wrongly used or configured, 3 starting again cannot help.`;

const EXAMPLE_PROGRAM = fileURLToPath(new URL('./examples/local-ssh/local-ssh.mjs', import.meta.url));

type Common = Readonly<{ config?: string }>;
type SetupFlags = Common &
  Readonly<{ token: string; apiUrl: string; label?: string; force?: boolean }> &
  Readonly<Partial<Record<'provision' | 'terminate' | 'healthCheck' | 'start' | 'stop' | 'list', string>>>;

async function main(): Promise<void> {
  const environment = process.env;
  const output = createOutput(process.stdout, environment);
  const stopping = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const)
    process.once(name, () => stopping.abort(new Failure(`stopped by ${name}`, { next: 'Start it again.' })));
  const { signal } = stopping;
  const fileOf = ({ config }: Common): string =>
    configPath(config, { isRoot: process.getuid?.() === 0, home: homedir(), cwd: process.cwd() });
  const about = (flags: Common) => ({ configFile: fileOf(flags), clock, output, signal, environment });
  const failUnless = (isRight: boolean): void => {
    if (!isRight) process.exitCode = EXIT.Failed;
  };

  const program = new Command('dc-agent')
    .description('Builds what was rented on this host, for a dcmarket provider.')
    .version(VERSION)
    .addHelpText('after', EXAMPLES)
    .exitOverride();
  const command = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .option('--config <file>', 'configuration file (default: /etc/dc-agent/config.toml as root)')
      .exitOverride();

  command('setup', 'join a pool with a setup token')
    .requiredOption('--token <token>', 'setup token, as the provider shows it')
    .requiredOption('--api-url <url>', 'address of the API')
    .option('--label <label>', 'name for people')
    .option('--force', 'join anew; what was there is kept aside')
    .option('--provision <program>', 'script pools: program that makes instances')
    .option('--terminate <program>', 'script pools: program that removes them')
    .option('--health-check <program>', 'script pools: program that says how they are')
    .option('--start <program>', 'script pools: program that starts them')
    .option('--stop <program>', 'script pools: program that stops them')
    .option('--list <program>', 'script pools: program that lists them')
    .action((flags: SetupFlags) =>
      setUp(
        { clock, output, signal },
        {
          token: flags.token,
          apiUrl: flags.apiUrl,
          configFile: fileOf(flags),
          label: flags.label,
          mode: flags.force ? 'Force' : 'Join',
          script: {
            ...(flags.provision === undefined ? {} : { provision: flags.provision }),
            terminate: flags.terminate,
            health_check: flags.healthCheck,
            start: flags.start,
            stop: flags.stop,
            list: flags.list,
          },
          exampleProgram: existsSync(EXAMPLE_PROGRAM) ? EXAMPLE_PROGRAM : undefined,
        },
      ),
    );
  command('run', 'take work until it is stopped').action((flags: Common) => run(about(flags)));
  command('doctor', 'check configuration, key, state, API, clock and provisioner').action(
    async (flags: Common) => failUnless(await doctor(about(flags))),
  );
  command('status', 'what runs on this host, what is unfinished').action(async (flags: Common) =>
    failUnless(await status(about(flags))),
  );
  command('leave', 'give this host up')
    .option('--force', 'although instances are on it')
    .action((flags: Common & { force?: boolean }) => leave(about(flags), flags.force ? 'Force' : 'Careful'));

  const manual = program
    .command('manual')
    .description('report what a person did, for pools of type manual')
    .exitOverride();
  const report = (name: string, description: string): Command =>
    manual
      .command(`${name} <contract>`)
      .description(description)
      .option('--config <file>', 'configuration file')
      .exitOverride();
  report('done', 'the machine is there')
    .requiredOption('--external-id <name>', 'name of the machine')
    .requiredOption('--host <host>', 'address for SSH')
    .requiredOption('--port <port>', 'port for SSH')
    .option('--user <user>', 'user to log in as')
    .option('--confirm', 'I have seen that the tenant can log in; otherwise the agent looks')
    .action((contract: string, flags: Common & Parameters<typeof reportDone>[2]) =>
      reportDone(about(flags), contract, flags),
    );
  report('failed', 'it cannot be built, and nothing of it is left')
    .requiredOption('--message <text>', 'why, for the provider')
    .option('--class <class>', 'transient, permanent, capacity or configuration')
    .action((contract: string, flags: Common & Parameters<typeof reportFailed>[2]) =>
      reportFailed(about(flags), contract, flags),
    );
  report('gone', 'the machine is removed, or there never was one').action((contract: string, flags: Common) =>
    reportGone(about(flags), contract),
  );

  try {
    await program.parseAsync(process.argv);
  } catch (error) {
    process.exitCode = explain(error);
  }
}

/** One sentence on what is wrong, one on what to do; an unexpected error is shown whole, to be reported. */
function explain(error: unknown): ExitCode | 0 {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.Misused;
  const say = (message: string, next: string): void => {
    process.stderr.write(`dc-agent: ${message}\n${next}\n`);
  };
  if (error instanceof Failure) {
    say(error.message, error.next);
    return error.exitCode;
  }
  if (error instanceof ApiProblem) say(error.message, error.next);
  else if (error instanceof ApiUnreachable)
    say(error.message, 'Check [agent] api_url and the network: dc-agent doctor.');
  else if (error instanceof ProvisionerError) say(error.message, error.remedy);
  else
    say(
      `unexpected: ${messageOf(error)}`,
      `Please report this:\n${error instanceof Error ? error.stack : ''}`,
    );
  return EXIT.Failed;
}

await main();
