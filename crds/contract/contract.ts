/** The Contract resource: its type and its public id. What the API server is told of it: `definition.ts`. */
import type { Resource } from '../resource.ts';
import type { ContractSpec } from './spec.ts';
import type { ContractStatus } from './status.ts';

export type Contract = Resource<'Contract', ContractSpec, ContractStatus>;

/** What the rules of an order look at, before it is an object and after. */
export type Ordered = Readonly<{ spec: ContractSpec; status?: ContractStatus | undefined }>;

/** A contract that the operator has seen: it has a status. */
export type LiveContract = Contract & Readonly<{ status: ContractStatus }>;

export const isLive = (contract: Contract): contract is LiveContract => contract.status !== undefined;

/** The public id: `metadata.uid` without dashes, 32 hex characters. */
export const contractIdOf = (uid: string): string => uid.replaceAll('-', '');

/** The UID of a public id; undefined when it is none. */
export function uidOfContractId(id: string): string | undefined {
  const match = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/.exec(id);
  return match?.slice(1).join('-');
}
