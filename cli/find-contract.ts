/** Contracts by what a person types: the whole id, its beginning, or a name. */
import { ContractId, ContractView } from '../crds/wire/market.ts';
import type { Api } from './client/client.ts';
import { Failure } from './failure.ts';
import { shortId } from './output/words.ts';

const PATH = '/api/v1/contracts';

export const listContracts = (api: Api): Promise<ContractView[]> =>
  api.list(ContractView, { method: 'GET', path: PATH });

export const readContract = (api: Api, contractId: string): Promise<ContractView> =>
  api.call(ContractView, { method: 'GET', path: `${PATH}/${contractId}` });

/** Throws Refused when nothing fits, Usage when more than one does. */
export async function findContract(api: Api, typed: string): Promise<ContractView> {
  if (ContractId.safeParse(typed).success) return readContract(api, typed);
  return readContract(api, matchContract(await listContracts(api), typed).contractId);
}

type Named = Pick<ContractView, 'contractId' | 'name' | 'displayName'>;

/** An exact name wins over beginnings. Of UIDs, with their dashes, beginnings count too. */
export function matchContract<T extends Named>(contracts: readonly T[], typed: string): T {
  const wanted = typed.toLowerCase();
  const byName = contracts.filter(({ name, displayName }) => name === wanted || displayName === typed);
  const begins = ({ contractId, name }: T): boolean =>
    contractId.startsWith(wanted.replaceAll('-', '')) || name.startsWith(wanted);
  const fitting =
    byName.length > 0 ? byName : contracts.filter((contract) => wanted !== '' && begins(contract));
  const [first, second] = fitting;
  if (first && !second) return first;
  if (!first)
    throw new Failure('Refused', `none of your contracts has an id or a name that begins with "${typed}"`, {
      next: 'List them with `dcm contracts --all`.',
    });
  const some = fitting.slice(0, 5).map(({ contractId, name }) => `${shortId(contractId)} (${name})`);
  throw new Failure('Usage', `${fitting.length} contracts begin with "${typed}": ${some.join(', ')}`, {
    next: 'Type more of the id.',
  });
}
