/**
 * Signatures of the installation for its own facades: what an agent heard, and what it was granted. An agent keeps
 * them and sends them back, and none can make one: no agent stops the market by inventing a higher epoch or
 * version. HMAC-SHA-256, cut to 128 bits, under keys derived from the installation's seed.
 */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

/** How far the world had got: of this generation, this resourceVersion of contracts was seen. */
export type Heard = Readonly<{ generation: number; resourceVersion: string }>;

export type ProvenGrant = Readonly<{ contractUID: string; agentUID: string; epoch: number }>;

export type Prover = Readonly<{
  heardOf: (heard: Heard) => string;
  /** Undefined for what this installation did not sign. */
  readHeard: (text: string) => Heard | undefined;
  proofOf: (grant: ProvenGrant) => string;
  isProof: (grant: ProvenGrant, proof: string) => boolean;
}>;

const MAC_BYTES = 16;

/** `seed`: 64 hex digits, of the Secret `dcmarket-installation`. */
export function createProver(seed: string): Prover {
  const keyFor = (use: string): Buffer =>
    Buffer.from(hkdfSync('sha256', Buffer.from(seed, 'hex'), 'dcmarket', `restore/${use}`, 32));
  const macUnder =
    (key: Buffer) =>
    (text: string): string =>
      createHmac('sha256', key).update(text).digest().subarray(0, MAC_BYTES).toString('base64url');
  const macOfHeard = macUnder(keyFor('heard'));
  const macOfGrant = macUnder(keyFor('grant'));
  const proofOf = ({ contractUID, agentUID, epoch }: ProvenGrant): string =>
    macOfGrant(`${contractUID} ${agentUID} ${epoch}`);
  return {
    heardOf: ({ generation, resourceVersion }) => {
      const text = `${generation}.${resourceVersion}`;
      return `${text}.${macOfHeard(text)}`;
    },
    readHeard: (text) => {
      const [generation = '', resourceVersion = '', mac = ''] = text.split('.');
      if (!/^\d{1,15}$/.test(generation) || !/^\d{1,20}$/.test(resourceVersion)) return undefined;
      if (!isEqual(mac, macOfHeard(`${generation}.${resourceVersion}`))) return undefined;
      return { generation: Number(generation), resourceVersion };
    },
    proofOf,
    isProof: (grant, proof) => isEqual(proof, proofOf(grant)),
  };
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
