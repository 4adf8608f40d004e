/** `dcm provider rules`: what you want of every rental; shows it, and changes what is named. */
import type { Command } from 'commander';
import { z } from 'zod';
import { publicKey } from '../../crds/fields.ts';
import { AcceptanceRules } from '../../crds/wire/desk.ts';
import { examples, oneOf, wholeNumber } from '../arguments.ts';
import { readAnswer } from '../client/client.ts';
import { Failure } from '../failure.ts';
import type { Printer } from '../output/printer.ts';
import type { Parent } from '../parent.ts';
import { type Session, show } from '../session.ts';

type Rules = z.infer<typeof AcceptanceRules>;

const TRIES_MAX = 4;
const PATH = '/api/v1/provider/settings/acceptance';
const Hours = z.union([z.int(), z.literal('none')]).optional();
const Keys = z.array(z.string()).default([]);
const Options = z.object({
  acceptance: z.enum(['automatic', 'manual']).optional(),
  minHours: Hours,
  maxHours: Hours,
  allow: Keys,
  disallow: Keys,
  block: Keys,
  unblock: Keys,
});
type Options = z.infer<typeof Options>;

const wholeHours = wholeNumber({ min: 1, max: 87_600 });
const hoursOrNone = (text: string): number | 'none' => (text === 'none' ? text : wholeHours(text));

export function addRulesCommand({ open }: Parent, provider: Command): void {
  const command = provider
    .command('rules')
    .description('what you want of every rental: how it is accepted, for how long, by whom')
    .option('--acceptance <how>', 'automatic, or manual: you decide on each', oneOf(['automatic', 'manual']))
    .option('--min-hours <n>', 'shorter rentals are rejected; none: as the offering says', hoursOrNone)
    .option('--max-hours <n>', 'longer rentals are rejected; none: as the offering says', hoursOrNone)
    .option('--allow <key...>', 'public keys of tenants; when there are any, all others are rejected')
    .option('--disallow <key...>', 'take these off the list again; all: rent to everybody')
    .option('--block <key...>', 'public keys of tenants that are rejected')
    .option('--unblock <key...>', 'take these off the list again; all: block nobody')
    .action(async () => rules(open(command), Options.parse(command.opts())));
  examples(
    command,
    `dcm provider rules
dcm provider rules --max-hours 720 --acceptance manual
dcm provider rules --min-hours none --block 03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8
dcm provider rules --allow $(cat customers.txt)
dcm provider rules --disallow all --unblock all`,
  );
}

async function rules(session: Session, options: Options): Promise<void> {
  for (const key of [...options.allow, ...options.block]) requireKey(key);
  const api = await session.api('provider');
  for (let tries = 1; ; tries++) {
    const response = await api.send({ method: 'GET', path: PATH });
    const known = await readAnswer(response, AcceptanceRules);
    const body = changed(known, options);
    // As it would be written without a change: an empty list is left out.
    const isSame = JSON.stringify(body) === JSON.stringify(changed(known, UNCHANGED));
    if (isSame) return show(session, known, () => printRules(session.print, known));
    const ifMatch = response.headers.get('etag') ?? undefined;
    const put = { method: 'PUT', path: PATH, body, ifMatch, retry: 'Safe' } as const;
    try {
      const answer = await api.call(AcceptanceRules, put);
      return show(session, answer, () => printRules(session.print, answer));
    } catch (error) {
      if (tries === TRIES_MAX || !wasChanged(error)) throw error;
    }
  }
}

const UNCHANGED = Options.parse({});

/** By somebody else, or by our own first try, whose answer was lost: what there is by now decides. */
const wasChanged = (error: unknown): boolean =>
  error instanceof Failure && ['PreconditionFailed', 'Conflict'].includes(error.problem?.code ?? '');

function changed(rules: Rules, options: Options): Rules {
  const { mode, minDurationHours, maxDurationHours, allowedTenants = [], blockedTenants = [] } = rules;
  const min = hoursOf(minDurationHours, options.minHours);
  const max = hoursOf(maxDurationHours, options.maxHours);
  if (min !== undefined && max !== undefined && min > max)
    throw new Failure('Usage', `rentals of at least ${min} and at most ${max} hours are none`, {
      next: 'Correct --min-hours or --max-hours; none takes a limit away.',
    });
  const allowed = listOf(allowedTenants, { add: options.allow, remove: options.disallow });
  const blocked = listOf(blockedTenants, { add: options.block, remove: options.unblock });
  return {
    mode: options.acceptance ? MODES[options.acceptance] : mode,
    ...(min === undefined ? {} : { minDurationHours: min }),
    ...(max === undefined ? {} : { maxDurationHours: max }),
    ...(allowed.length > 0 ? { allowedTenants: allowed } : {}),
    ...(blocked.length > 0 ? { blockedTenants: blocked } : {}),
  };
}

const MODES = { automatic: 'Automatic', manual: 'Manual' } as const;

const hoursOf = (known: number | undefined, wanted: Options['minHours']): number | undefined =>
  wanted === 'none' ? undefined : (wanted ?? known);

type Change = Readonly<{ add: readonly string[]; remove: readonly string[] }>;

function listOf(known: readonly string[], { add, remove }: Change): string[] {
  const kept = remove.includes('all') ? [] : known.filter((key) => !remove.includes(key));
  return [...new Set([...kept, ...add])];
}

function requireKey(key: string): void {
  if (publicKey().safeParse(key).success) return;
  throw new Failure('Usage', `${key} is no public key`, {
    next: 'It has 64 lower-case hex characters, as `dcm keygen` prints them.',
  });
}

function printRules(print: Printer, rules: Rules): void {
  const { mode, minDurationHours: min, maxDurationHours: max, allowedTenants, blockedTenants } = rules;
  print.line(
    mode === 'Automatic'
      ? 'Every rental that fits is accepted at once.'
      : 'You decide on each rental that fits: dcm provider requests',
  );
  const limits = [min && `at least ${min}`, max && `at most ${max}`].filter(Boolean).join(', ');
  print.line(
    `Hours    ${limits === '' ? 'as the offerings say' : `${limits}, within what the offerings say`}`,
  );
  printKeys(print, { title: 'Only', keys: allowedTenants, none: 'everybody' });
  printKeys(print, { title: 'Blocked', keys: blockedTenants, none: 'nobody' });
}

type Listed = Readonly<{ title: string; keys: readonly string[] | undefined; none: string }>;

function printKeys(print: Printer, { title, keys = [], none }: Listed): void {
  if (keys.length === 0) print.line(`${title.padEnd(8)} ${none}`);
  for (const [index, key] of keys.entries()) print.line(`${(index === 0 ? title : '').padEnd(8)} ${key}`);
}
