/** `dcm rent OFFERING`: orders a machine, safely repeated, and follows it until it can be used. */
import { randomUUID } from 'node:crypto';
import { Option } from 'commander';
import { z } from 'zod';
import { AntiAffinity } from '../../crds/contract/anti-affinity.ts';
import { hasEnded } from '../../crds/contract/phase.ts';
import { RentResponse } from '../../crds/wire/market.ts';
import { examples, matching, wholeNumber } from '../arguments.ts';
import { readConfig } from '../config-argument.ts';
import { EXIT_CODES } from '../failure.ts';
import { readContract } from '../find-contract.ts';
import { followContract, stepPrinter } from '../follow.ts';
import { shortId } from '../output/words.ts';
import type { ExitCode, Parent } from '../parent.ts';
import type { Session } from '../session.ts';
import { readSshPublicKey } from '../ssh/public-key.ts';

const Options = z.object({
  sshKey: z.string().optional(),
  hours: z.number().optional(),
  name: z.string().optional(),
  config: z.string().optional(),
  apart: z.string().optional(),
  apartOrWait: z.string().optional(),
  wait: z.boolean().default(false),
});

const group = matching(
  AntiAffinity.shape.group,
  'It must be a word of at most 63 letters, digits and ._:/- .',
);

export function addRentCommand({ program, open, exitCode }: Parent): void {
  const command = program
    .command('rent')
    .description('rent a machine')
    .argument('<offering>', 'provider/name as `dcm offerings` shows it')
    .option('--ssh-key <file>', 'public key that may log in (default: yours in ~/.ssh)')
    .option('--hours <n>', 'how long (default: as the offering says)', wholeNumber({ min: 1, max: 87_600 }))
    .option('--name <text>', 'your name for it')
    .option('--config <json>', 'settings, as the offering allows: JSON, @FILE, or - for standard input')
    .addOption(
      new Option('--apart <group>', 'on another host than your others of this group, where one is free')
        .argParser(group)
        .conflicts('apartOrWait'),
    )
    .option('--apart-or-wait <group>', 'the same, and it rather waits than shares a host', group)
    .option('--wait', 'follow it until you can log in')
    .action(async (offeringId: string) => {
      const session = open(command);
      const { sshKey, hours, name, config, wait, ...apart } = Options.parse(command.opts());
      const sshPublicKey = await readSshPublicKey(session.context, sshKey);
      const instanceConfig = config === undefined ? undefined : await readConfig(session.context, config);
      const antiAffinity = antiAffinityOf(apart);
      const body = { offeringId, sshPublicKey, durationHours: hours, name, antiAffinity, instanceConfig };
      await rent(session, { body, wait, exitCode });
    });
  examples(
    command,
    `dcm rent acme/vps-small --wait
dcm rent acme/vps-small --ssh-key deploy.pub --hours 48 --name build-box
dcm rent acme/vps-small --name db-2 --apart-or-wait db
dcm rent acme/vps-small --config '{"image":"debian-13"}'`,
  );
}

type Apart = Pick<z.infer<typeof Options>, 'apart' | 'apartOrWait'>;

function antiAffinityOf({ apart, apartOrWait }: Apart): z.infer<typeof AntiAffinity> | undefined {
  if (apartOrWait !== undefined) return { group: apartOrWait, mode: 'Required' };
  return apart === undefined ? undefined : { group: apart, mode: 'Preferred' };
}

type Order = Readonly<{
  body: Readonly<{
    offeringId: string;
    sshPublicKey: string;
    durationHours?: number | undefined;
    name?: string | undefined;
    antiAffinity?: z.infer<typeof AntiAffinity> | undefined;
    instanceConfig?: unknown;
  }>;
  wait: boolean;
  exitCode: ExitCode;
}>;

async function rent(session: Session, { body, wait, exitCode }: Order): Promise<void> {
  const { print, context, isJson } = session;
  const api = await session.api('tenant');
  // One key for this invocation: however often the order is sent, it makes one contract.
  const idempotencyKey = randomUUID();
  const rented = await api.call(RentResponse, {
    method: 'POST',
    path: '/api/v1/contracts',
    body,
    idempotencyKey,
  });
  const { contractId, name, message } = rented;
  if (!wait) {
    if (isJson) return print.json(rented);
    print.line(`Rented ${body.offeringId} as ${name} (${shortId(contractId)}). ${message}`);
    return print.note(`Next: dcm contract ${shortId(contractId)}`);
  }
  if (!isJson) print.line(`Rented ${body.offeringId} as ${name} (${shortId(contractId)}).`);
  const { clock, signal } = context;
  const stepSeen = isJson ? () => {} : stepPrinter(print, { clock });
  try {
    const contract = await followContract({
      api,
      clock,
      signal,
      contractId,
      onView: stepSeen,
      isDone: ({ phase }) => phase === 'Active' || hasEnded(phase),
    });
    if (isJson) print.json(await readContract(api, contractId));
    if (contract.phase !== 'Active') exitCode.value = EXIT_CODES.Refused;
    else if (!isJson) print.note(`Log in: dcm ssh ${shortId(contractId)}`);
  } catch (error) {
    if (signal.aborted)
      print.note(
        `\nThe order stands. See it: dcm contract ${shortId(contractId)}, end it: dcm cancel ${shortId(contractId)}`,
      );
    throw error;
  }
}
