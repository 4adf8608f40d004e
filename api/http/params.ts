/** Parameters of paths, each described once. */
import { z } from 'zod';
import { name, publicKey } from '../../crds/fields.ts';
import { ContractId } from '../../crds/wire/market.ts';

const pk = publicKey().describe('Public key of the provider.');

export const ProviderPath = z.object({ pk });
export const PoolPath = z.object({ pk, poolId: name().describe('Name of the pool.') });
const tokenId = z.string().min(1).max(128).describe('Id of the setup token, or the secret itself.');
export const TokenPath = z.object({ pk, tokenId });
export const PoolTokenPath = z.object({ pk, poolId: name().describe('Name of the pool.'), tokenId });
export const AgentPath = z.object({ pk, agentKey: publicKey().describe('Public key of the agent.') });
export const ContractOfProviderPath = z.object({ pk, id: ContractId });
export const ContractPath = z.object({ id: ContractId });
