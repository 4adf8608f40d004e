/** `dcm provider create`: becomes a seller through the API, or prints the manifests for kubectl. */
import { stringify } from 'yaml';
import { z } from 'zod';
import { name } from '../../crds/fields.ts';
import { API_VERSION } from '../../crds/group.ts';
import { ProviderView } from '../../crds/wire/market.ts';
import { examples, matching } from '../arguments.ts';
import { Failure } from '../failure.ts';
import { readKeyFile } from '../key-file.ts';
import type { Parent } from '../parent.ts';
import { type Session, show } from '../session.ts';
import { addDecisionCommands } from './decide.ts';
import { addDeskCommands } from './desk.ts';
import { addRulesCommand } from './rules.ts';

const Options = z.object({
  displayName: z.string().min(1).max(100).optional(),
  yaml: z.boolean().default(false),
});

type Wanted = Readonly<{ name: string; displayName: string | undefined }>;

export function addProviderCommands(parent: Parent): void {
  const { program, open } = parent;
  const provider = program.command('provider').description('sell machines here');
  const command = provider
    .command('create')
    .description('become a provider with your key')
    .argument(
      '<name>',
      'name of the Provider object',
      matching(name(), 'It must be lower case letters, digits and dashes.'),
    )
    .option('--display-name <text>', 'name that tenants see (default: the name)')
    .option('--yaml', 'create nothing; print Namespace and Provider for kubectl apply')
    .action(async (wantedName: string) => {
      const session = open(command);
      const { displayName, yaml } = Options.parse(command.opts());
      const wanted = { name: wantedName, displayName };
      await (yaml ? printManifests(session, wanted) : create(session, wanted));
    });
  examples(
    command,
    `dcm provider create acme --display-name "Acme Hosting"
dcm provider create acme --yaml | kubectl apply -f -     where registration is closed`,
  );
  addDeskCommands(parent, provider);
  addDecisionCommands(parent, provider);
  addRulesCommand(parent, provider);
}

async function create(session: Session, wanted: Wanted): Promise<void> {
  const api = await session.api('provider');
  try {
    // The same key asking for the same name twice meets its own provider, so a retry is safe.
    const created = await api.call(ProviderView, {
      method: 'POST',
      path: '/api/v1/providers',
      body: wanted,
      retry: 'Safe',
    });
    show(session, created, () => {
      const { print } = session;
      print.line(`${created.displayName} is a provider here, named ${created.name}.`);
      if (!created.ready) print.note('It may sell in a moment, once the operator has looked at it.');
      print.note('Next: dcm pool create NAME --location REGION --type TYPE');
    });
  } catch (error) {
    if (!(error instanceof Failure) || error.problem?.code !== 'RegistrationClosed') throw error;
    throw new Failure('Refused', error.message, {
      next: `Whoever has kubectl here can do it: dcm provider create ${wanted.name} --yaml | kubectl apply -f -`,
      problem: error.problem,
      cause: error,
    });
  }
}

async function printManifests(session: Session, { name, displayName = name }: Wanted): Promise<void> {
  const { keyFile } = await session.settings();
  const { publicKey } = await readKeyFile(keyFile('provider'));
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  const manifest = {
    apiVersion: API_VERSION,
    kind: 'Provider',
    metadata: { name },
    spec: { publicKey, displayName, namespace: name, acceptance: { mode: 'Automatic' } },
  };
  if (session.isJson) return session.print.json([namespace, manifest]);
  session.print.line([namespace, manifest].map((object) => stringify(object).trimEnd()).join('\n---\n'));
}
