/** How long and under which name: `dcm extend | auto-renew | describe ID`. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { moneyWords, samePrice } from '../../crds/price.ts';
import { ExtendResponse } from '../../crds/wire/actions.ts';
import { ContractView } from '../../crds/wire/market.ts';
import { examples, wholeNumber } from '../arguments.ts';
import { confirm } from '../confirm.ts';
import { Failure } from '../failure.ts';
import { findContract } from '../find-contract.ts';
import { priceWords, whenWords } from '../output/words.ts';
import type { Parent } from '../parent.ts';
import { type Session, show } from '../session.ts';

const ExtendOptions = z.object({
  hours: z.number(),
  dryRun: z.boolean().default(false),
  price: z.number().optional(),
  yes: z.boolean().default(false),
});
const RenewOptions = z.object({
  hours: z.number().optional(),
  maxHours: z.number().optional(),
  maxPrice: z.number().optional(),
  off: z.boolean().default(false),
});
const DescribeOptions = z.object({
  name: z.string().optional(),
  description: z.string().optional(),
  label: z.array(z.string()).optional(),
});

const hours = wholeNumber({ min: 1, max: 87_600 });
const minor = wholeNumber({ min: 0, max: 1_000_000_000 });

export function addTermCommands({ program, open }: Parent): void {
  const longer = program
    .command('extend')
    .description('rent it for longer; --dry-run only says until when and for how much')
    .argument('<id>', 'id of the contract, its beginning, or a name')
    .requiredOption('--hours <n>', 'so many hours more', hours)
    .option('--dry-run', 'change nothing')
    .option(
      '--price <minor>',
      'agree to this price, in minor units a period (see dcm contract), unasked',
      minor,
    )
    .option('--yes', 'agree to what it costs now, unasked')
    .action(async (id: string) => extend(open(longer), { id, ...ExtendOptions.parse(longer.opts()) }));
  examples(longer, 'dcm extend c1d09e44 --hours 24 --dry-run\ndcm extend build-box --hours 720 --price 500');

  const renewing = program
    .command('auto-renew')
    .description('renew it at its end, up to a cap of hours and, where its price may change, of price')
    .argument('<id>', 'id of the contract, its beginning, or a name')
    .option('--hours <n>', 'each renewal adds as many hours', hours)
    .option('--max-hours <n>', 'never longer than this by itself, all hours together', hours)
    .option(
      '--max-price <minor>',
      'not at a higher price, where that may change: minor units a period',
      minor,
    )
    .option('--off', 'no longer')
    .action(async (id: string) => renew(open(renewing), { id, ...RenewOptions.parse(renewing.opts()) }));
  examples(renewing, 'dcm auto-renew c1d09e44 --hours 720 --max-hours 8760\ndcm auto-renew c1d09e44 --off');

  const describing = program
    .command('describe')
    .description('your name, description and labels for it')
    .argument('<id>', 'id of the contract, its beginning, or a name')
    .option('--name <text>', 'your name for it; empty removes it')
    .option('--description <text>', 'anything about it; empty removes it')
    .option('--label <key=value...>', 'all labels that it is to have; an empty one removes them')
    .action(async (id: string) =>
      describe(open(describing), { id, ...DescribeOptions.parse(describing.opts()) }),
    );
  examples(describing, 'dcm describe c1d09e44 --name build-box --label env=ci team=core');
}

type Extension = Readonly<{ id: string }> & z.infer<typeof ExtendOptions>;

async function extend(session: Session, { id, hours: more, ...wish }: Extension): Promise<void> {
  const api = await session.api('tenant');
  const contract = await findContract(api, id);
  const path = `/api/v1/contracts/${contract.contractId}/extend`;
  const ask = (body: object) =>
    api.call(ExtendResponse, {
      method: 'POST',
      path,
      body: { hours: more, ...body },
      idempotencyKey: randomUUID(), // however often it is sent, it is extended once
    });
  if (wish.dryRun) return say(session, await ask({ dryRun: true }));
  const agreed = await agree(session, { contract, wish, quote: () => ask({ dryRun: true }) });
  say(session, await ask({ dryRun: false, ...(agreed ? { price: agreed } : {}) }));
}

type Agreement = Readonly<{
  contract: ContractView;
  wish: Omit<Extension, 'id' | 'hours'>;
  quote: () => Promise<Quote>;
}>;

/** The price that is agreed to; undefined where the price of the contract holds anyway. */
async function agree(session: Session, { contract, wish, quote }: Agreement): Promise<Price | undefined> {
  const { pricing, price } = contract.extension;
  if (wish.price !== undefined && price) return { ...price, amountMinor: wish.price };
  if (pricing === 'Same') return undefined;
  const quoted = await quote();
  const isNew = quoted.price && !(contract.price && samePrice(quoted.price, contract.price));
  if (isNew && !wish.yes) await confirm(session, `${sentenceOf(session, quoted)} Extend it?`);
  return quoted.price ?? undefined;
}

type Quote = z.infer<typeof ExtendResponse>;
type Price = NonNullable<Quote['price']>;

const say = (session: Session, answer: Quote): void =>
  show(session, answer, () => session.print.line(sentenceOf(session, answer)));

function sentenceOf(session: Session, quote: Quote): string {
  const { contract, endsAt, durationHours, costMinor, price, dryRun } = quote;
  const end = endsAt ? `, until ${endsAt} (${whenWords(endsAt, session.context.clock.now())})` : '';
  const each = contract.extension.pricing === 'Current' && price ? ` (${priceWords(price)})` : '';
  const cost =
    price && costMinor > 0 ? ` for ${moneyWords(costMinor, price.currency)}${each}` : ' free of charge';
  const verb = dryRun ? 'would be' : 'is';
  return `${contract.name} ${verb} rented for ${durationHours} hours in all${end},${cost}.`;
}

type Renewal = Readonly<{ id: string }> & z.infer<typeof RenewOptions>;

async function renew(session: Session, { id, hours: each, maxHours, maxPrice, off }: Renewal): Promise<void> {
  if (!off && (each === undefined || maxHours === undefined))
    throw new Failure('Usage', 'auto-renew wants --hours and --max-hours, or --off');
  const api = await session.api('tenant');
  const { contractId, name, price } = await findContract(api, id);
  const most = maxPrice !== undefined && price ? { maxPrice: { ...price, amountMinor: maxPrice } } : {};
  const answer = await api.call(ContractView, {
    method: 'PUT',
    path: `/api/v1/contracts/${contractId}/auto-renew`,
    body: off ? null : { hours: each, maxHours, ...most },
    retry: 'Safe',
  });
  show(session, answer, () =>
    session.print.line(
      off
        ? `${name} is not renewed at its end.`
        : `${name} is renewed by ${each} hours at its end, up to ${maxHours} hours in all.`,
    ),
  );
}

type Description = Readonly<{ id: string }> & z.infer<typeof DescribeOptions>;

async function describe(session: Session, { id, name, description, label }: Description): Promise<void> {
  const body = {
    ...(name === undefined ? {} : { name: name || null }),
    ...(description === undefined ? {} : { description: description || null }),
    ...(label === undefined ? {} : { labels: labelsOf(label) }),
  };
  if (Object.keys(body).length === 0)
    throw new Failure('Usage', 'describe wants --name, --description or --label');
  const api = await session.api('tenant');
  const { contractId } = await findContract(api, id);
  const path = `/api/v1/contracts/${contractId}`;
  const answer = await api.call(ContractView, { method: 'PATCH', path, body, retry: 'Safe' });
  show(session, answer, () => session.print.line(`${answer.displayName ?? answer.name} is noted.`));
}

function labelsOf(pairs: readonly string[]): Record<string, string> {
  const labels = pairs.filter((pair) => pair !== '').map((pair) => pair.split(/=(.*)/s, 2));
  for (const [key, value] of labels)
    if (value === undefined) throw new Failure('Usage', `label ${key} is not key=value`);
  return Object.fromEntries(labels.map(([key = '', value = '']) => [key, value]));
}
