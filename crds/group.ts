/** Names that every part agrees on: API group, labels, annotations and the finalizer. */

export const GROUP = 'dcmarket.io';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}` as const;

/** Kept on a contract until nobody may still have a machine of it, and on an Agent that owes. */
export const FINALIZER = `${GROUP}/cleanup`;

/** Kept on a pool, an offering and a provider: who deletes one that is used waits until it is not. */
export const IN_USE_FINALIZER = `${GROUP}/in-use`;

export const LABEL = {
  /** First 63 characters of the tenant's public key: what `GET /contracts` selects by. */
  tenant: `${GROUP}/tenant`,
  /** First 63 characters of an agent's public key, on its Agent. */
  agentKey: `${GROUP}/agent-key`,
  /** UID of the Agent, on its heartbeat Lease. */
  agent: `${GROUP}/agent`,
  /** Name of the pool, on Agents and SetupTokens. */
  pool: `${GROUP}/pool`,
} as const;

export const ANNOTATION = {
  /** SHA-256 of the body that created a contract: another body with the same Idempotency-Key is refused. */
  requestHash: `${GROUP}/request-sha256`,
  /** Which Idempotency-Key made this contract, hashed. */
  idempotencyKey: `${GROUP}/idempotency-key`,
  /** Which keys carried out a wish about this contract last, and with which body, hashed. */
  usedKeys: `${GROUP}/used-keys`,
  /** The name that the tenant gave the contract. */
  displayName: `${GROUP}/display-name`,
  /** `true`: the API server refuses to delete the object. */
  deletionProtection: `${GROUP}/deletion-protection`,
  /** What the tenant wrote about it, for itself. */
  description: `${GROUP}/description`,
} as const;

/** Labels that a tenant gave its contract stand under this prefix, so that they meet no label of ours. */
export const TENANT_LABEL_PREFIX = `tenant.${GROUP}/`;

/** A label value holds 63 characters; keys have 64. The full key is always compared as well. */
export const labelOfKey = (publicKey: string): string => publicKey.slice(0, 63);
