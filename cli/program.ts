/** The command line as commander knows it: global options, and one file for each group of commands. */
import { type Command as AnyCommand, Command } from 'commander';
import { addAgentCommands } from './commands/agents.ts';
import { addCallCommand } from './commands/call.ts';
import { addCancelCommand } from './commands/cancel.ts';
import { addContractCommands } from './commands/contracts.ts';
import { addKeygenCommand } from './commands/keygen.ts';
import { addMachineCommands } from './commands/machine.ts';
import { addOfferingsCommand } from './commands/offerings.ts';
import { addPasswordCommand } from './commands/password.ts';
import { addPoolCommands } from './commands/pools.ts';
import { addProviderCommands } from './commands/provider.ts';
import { addRentCommand } from './commands/rent.ts';
import { addSshCommand } from './commands/ssh.ts';
import { addTermCommands } from './commands/term.ts';
import { addTokenCommands } from './commands/tokens.ts';
import type { Context } from './context.ts';
import type { ExitCode, Parent } from './parent.ts';
import { GlobalOptions, openSession } from './session.ts';
import { DEFAULT_API_URL } from './settings.ts';

const VERSION = '0.1.0';

export function buildProgram(context: Context, exitCode: ExitCode): AnyCommand {
  const program = new Command('dcm')
    .description('Rent machines and sell them on a dcmarket.')
    .version(VERSION)
    .option('--json', 'print the answer as JSON, refusals too')
    .option('--api-url <url>', `address of the API (DCM_API_URL; default ${DEFAULT_API_URL})`)
    .option('--key <file>', 'key file to sign with (DCM_KEY; default ~/.config/dcmarket/key)')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text.replace(/^error: /, 'dcm: ')),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showHelpAfterError('(dcm --help, or dcm COMMAND --help, shows what is there)')
    .exitOverride();
  const parent: Parent = {
    program,
    open: (command) => openSession(context, GlobalOptions.parse(command.optsWithGlobals())),
    exitCode,
  };
  addKeygenCommand(parent);
  addOfferingsCommand(parent);
  addRentCommand(parent);
  addContractCommands(parent);
  addTermCommands(parent);
  addMachineCommands(parent);
  addPasswordCommand(parent);
  addCancelCommand(parent);
  addSshCommand(parent);
  addProviderCommands(parent);
  addPoolCommands(parent);
  addTokenCommands(parent);
  addAgentCommands(parent);
  addCallCommand(parent);
  return program.addHelpText(
    'after',
    `
Examples:
  dcm keygen                                        make your key, once
  dcm offerings --country DE                        what is for sale
  dcm rent acme/vps-small --ssh-key ~/.ssh/id_ed25519.pub --wait
  dcm contracts                                     what you rent
  dcm ssh c1d09e44                                  log in; any unique beginning of an id will do

Exit codes: 0 done, 1 refused, 2 wrong usage, 3 the server cannot be reached.
Settings: flags, then DCM_API_URL and DCM_KEY, then .dcmarket/dcm.json of a checkout in which \`npm start\` ran,
then ~/.config/dcmarket/config.json: {"apiUrl": …, "keys": {"tenant": FILE, "provider": FILE}}.`,
  );
}
