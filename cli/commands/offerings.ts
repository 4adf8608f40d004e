/** `dcm offerings`: what is for sale. Needs no key. */
import { z } from 'zod';
import { REGIONS } from '../../crds/regions.ts';
import { OfferingView } from '../../crds/wire/market.ts';
import { examples, oneOf } from '../arguments.ts';
import { formatTable } from '../output/table.ts';
import { priceWords, sizeWords } from '../output/words.ts';
import type { Parent } from '../parent.ts';
import { show } from '../session.ts';

const Options = z.object({
  country: z.string().optional(),
  region: z.string().optional(),
  q: z.string().optional(),
});

const COLUMNS = [
  { title: 'OFFERING', cell: (row: OfferingView) => row.offeringId },
  { title: 'TITLE', cell: (row: OfferingView) => row.title },
  { title: 'COUNTRY', cell: (row: OfferingView) => row.country },
  { title: 'SIZE', cell: sizeWords },
  { title: 'PRICE', cell: (row: OfferingView) => priceWords(row.price) },
  { title: 'NOW', cell: availabilityWords },
] as const;

export function addOfferingsCommand({ program, open }: Parent): void {
  const command = program
    .command('offerings')
    .description('what is for sale')
    .option('--country <code>', 'ISO 3166-1 alpha-2, e.g. DE', (text: string) => text.toUpperCase())
    .option('--region <region>', `one of ${REGIONS.join(', ')}`, oneOf(REGIONS))
    .option('-q, --q <words>', 'words in title, description or name')
    .action(async () => {
      const session = open(command);
      const query = Options.parse(command.opts());
      const api = await session.api('anyone');
      const offerings = await api.list(OfferingView, { method: 'GET', path: '/api/v1/offerings', query });
      show(session, offerings, () => {
        const { print } = session;
        if (offerings.length === 0) print.line('Nothing for sale fits that.');
        else print.line(formatTable(offerings, COLUMNS, print.paint));
      });
    });
  examples(
    command,
    'dcm offerings\ndcm offerings --region europe -q gpu\ndcm offerings --json | jq -r .[].offeringId',
  );
}

function availabilityWords({ inStock, available }: OfferingView): string {
  if (!inStock) return 'sold out';
  return available ? 'available' : 'no agent online';
}
